"""Waits until hosts are up: await_hosts.py LIMIT NAME=ADDRESS...

A host is up when its sshd sends its greeting and its web page answers. Says which hosts are not up within
LIMIT seconds and what was last seen of them; ends with 1 if there are any.
"""

import concurrent.futures
import socket
import sys
import time
import urllib.error
import urllib.request

# The lab's hosts are reached directly, whatever proxy the machine uses.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def greeting(address):
    with socket.create_connection((address, 22), timeout=2) as connection:
        line = connection.makefile("rb").readline(255)
    if not line.startswith(b"SSH-2"):
        raise OSError(f"greeting is {line!r}")


def page(address):
    DIRECT.open(f"http://{address}:8082/api/internal/login/login_info", timeout=2).read()


def wait(name, address, deadline, pause):
    for what, look in (("sshd", greeting), ("web page", page)):
        while True:
            try:
                look(address)
                break
            except (OSError, urllib.error.URLError) as problem:
                if time.monotonic() > deadline:
                    return f"{name} ({address}): {what} does not answer: {problem}"
                time.sleep(pause)
    return None


def main():
    deadline = time.monotonic() + float(sys.argv[1])
    hosts = [word.split("=") for word in sys.argv[2:]]
    # Looking costs the cores that the hosts need to boot.
    pause = 0.02 * max(2, len(hosts))
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        problems = [problem for problem in pool.map(lambda host: wait(*host, deadline, pause), hosts) if problem]
    for problem in problems:
        print(f"lab: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
