"""parallel-ssh: one command on all hosts at once. Arguments: PORT USER KEYFILE KNOWN_HOSTS COMMAND < addresses"""

import sys

from pssh.clients import ParallelSSHClient

port, user, key, known_hosts, command = sys.argv[1:]
hosts = sys.stdin.read().split()
client = ParallelSSHClient(
    hosts, user=user, port=int(port), pkey=key, pool_size=len(hosts), allow_agent=False, num_retries=1
)
outputs = client.run_command(command)
client.join(outputs)
sys.exit(0 if all(output.exit_code == 0 for output in outputs) else 1)
