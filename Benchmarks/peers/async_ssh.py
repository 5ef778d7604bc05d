"""asyncssh: one command on all hosts at once. Arguments: PORT USER KEYFILE KNOWN_HOSTS COMMAND < addresses"""

import asyncio
import sys

import asyncssh

port, user, key, known_hosts, command = sys.argv[1:]
hosts = sys.stdin.read().split()


async def run(host, keys, known):
    async with asyncssh.connect(
        host, int(port), username=user, client_keys=keys, known_hosts=known, agent_path=None, config=None,
        login_timeout=120,
    ) as connection:
        return (await connection.run(command)).exit_status


async def main():
    keys = [asyncssh.read_private_key(key)]
    known = asyncssh.read_known_hosts(known_hosts)
    return await asyncio.gather(*(run(host, keys, known) for host in hosts))


sys.exit(0 if all(status == 0 for status in asyncio.run(main())) else 1)
