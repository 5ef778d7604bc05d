"""Compares what one command on many hosts costs the client. Started by Benchmarks/run in a network of its own."""

import argparse
import base64
import hashlib
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 21022
MOST_CPU = 1.25  # times the floor
MOST_MEMORY = 120  # KB per open session


class Server:
    """One sshd that answers on every loopback address."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder + "/sshd.log"
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{name}"], check=True)
        shutil.copy(folder + "/user.pub", folder + "/authorized_keys")
        os.makedirs("/run/sshd", exist_ok=True)
        # SHLVL keeps bash from reading its start-up files; a login would cost the server more than it does the client.
        configuration = f"""
            Port {PORT}
            ListenAddress 0.0.0.0
            HostKey {folder}/host
            AuthorizedKeysFile {folder}/authorized_keys
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin prohibit-password
            MaxStartups 4000:100:4000
            SetEnv SHLVL=5
            """
        with open(folder + "/sshd_config", "w") as file:
            file.write(configuration)
        open(self.log, "w").close()
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", folder + "/sshd_config", "-E", self.log])
        for _ in range(500):
            if "Server listening" in open(self.log).read():
                return
            time.sleep(0.01)
        sys.exit("sshd did not start: " + open(self.log).read())

    def logins(self):
        with open(self.log, errors="replace") as file:
            return file.read().count("Accepted publickey")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def run(words, addresses, environment, log):
    """Runs a client; answers its CPU seconds, its children's included, and its own peak memory in KB."""
    with open(log, "wb") as output, tempfile.TemporaryFile() as text:
        text.write("\n".join(addresses).encode() + b"\n")
        text.seek(0)
        process = subprocess.Popen(words, stdin=text, stdout=output, stderr=output, env=environment)
        # The peak in rusage begins with that of the process that forked, so it is read while the client lives.
        memory, done = 0, 0
        while not done:
            memory = max(memory, peak_memory(process.pid))
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            time.sleep(0 if done else 0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        with open(log, errors="replace") as output:
            sys.exit(f"{words[0]} ended with {process.returncode}:\n{output.read()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, memory


def peak_memory(process):
    try:
        with open(f"/proc/{process}/status") as file:
            words = dict(line.split(":", 1) for line in file)
        return int(words["VmHWM"].split()[0])
    except (OSError, KeyError):
        return 0  # not started yet, or just gone


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fleet", required=True, help="the fleet command")
    parser.add_argument("--floor", required=True, help="the compiled floor.c")
    parser.add_argument("--python", help="the Python with the peers; without it only the floor is compared")
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
        server = Server(folder)
        try:
            sys.exit(compare(options, server, folder))
        finally:
            server.stop()


def compare(options, server, folder):
    addresses = [f"127.0.{1 + i // 250}.{1 + i % 250}" for i in range(options.hosts)]
    with open(folder + "/host.pub") as file:
        kind, blob = file.read().split()[:2]
    known_hosts = folder + "/known_hosts"
    with open(known_hosts, "w") as file:
        file.writelines(f"[{address}]:{PORT} {kind} {blob}\n" for address in addresses)
    fingerprint = hashlib.sha256(base64.b64decode(blob)).hexdigest()
    key = folder + "/user"

    def inventory(count):
        path = f"{folder}/inventory-{count}.yaml"
        with open(path, "w") as file:
            file.write(f"defaults: {{user: root, port: {PORT}, identity: {key}, known_hosts: {known_hosts}}}\n")
            file.write("groups:\n  all:\n    hosts:\n")
            file.writelines(f"      h{i + 1:03}: {{address: {a}}}\n" for i, a in enumerate(addresses[:count]))
        return path

    def fleet(command, count):
        return [options.fleet, "exec", "-i", inventory(count), "--at-once", str(count), "--", *command.split()]

    def floor(command, count, suffix=""):
        return [options.floor + suffix, str(PORT), "root", key, fingerprint, command]

    def floor_key_once(command, count):
        return floor(command, count, "-key-once")

    def peer(name):
        script = f"{HERE}/peers/{name}.py"
        return lambda command, count: [options.python, script, str(PORT), "root", key, known_hosts, command]

    def clush(command, count):
        settings = f"-p {PORT} -i {key} -oUserKnownHostsFile={known_hosts} -oIdentitiesOnly=yes -oBatchMode=yes"
        return ["clush", "-q", "-S", "-l", "root", "-f", str(count), "-o", settings, "-w", ",".join(addresses[:count]), command]

    # Only the first C program sets the limit; the second tells what of the difference is how the key is read.
    clients = {"fleet exec": fleet, "C, libssh2 + epoll": floor, "C, key read once": floor_key_once}
    if options.python:
        clients |= {"parallel-ssh": peer("parallel_ssh"), "asyncssh": peer("async_ssh"), "clush": clush}

    environment = dict(os.environ, FLEET_LOGS=folder + "/logs", NO_COLOR="1")
    environment.pop("SSH_AUTH_SOCK", None)

    def measure(name, command, count):
        before = server.logins()
        words = clients[name](command, count)
        cpu, memory = run(words, addresses[:count], environment, f"{folder}/client.log")
        seen = server.logins() - before
        if seen != count:
            sys.exit(f"{name}: the server saw {seen} logins instead of {count}")
        return cpu, memory

    print(f"One command on {options.hosts} hosts, all at once; CPU is the client's user + system time.", flush=True)
    cpu = {name: [] for name in clients}
    for number in range(options.runs):
        # Alternating, so that a busy moment of the machine strikes all alike.
        for name in clients:
            cpu[name].append(measure(name, "true", options.hosts)[0] * 1000 / options.hosts)
        print(f"  run {number + 1} of {options.runs}: " + ", ".join(f"{n} {c[-1]:.2f} ms" for n, c in cpu.items()), flush=True)

    # Held open until all are logged in; what a client needs for a single host is taken off.
    hold = f"sleep {max(10, options.hosts // 15)}"
    memory = {}
    for name in ("fleet exec", "C, libssh2 + epoll"):
        alone = measure(name, "true", 1)[1]
        memory[name] = (measure(name, hold, options.hosts)[1] - alone) / (options.hosts - 1)

    median = {name: statistics.median(values) for name, values in cpu.items()}
    base = median["C, libssh2 + epoll"]
    print(f"\n{'':20} {'CPU per host':>14} {'range':>16} {'ratio':>8} {'memory per open session':>26}")
    for name, values in cpu.items():
        extent = f"{min(values):.2f} ... {max(values):.2f}"
        held = f"{memory[name]:.0f} KB" if name in memory else "-"
        print(f"{name:20} {median[name]:>11.2f} ms {extent:>16} {median[name] / base:>8.2f} {held:>26}")

    failures = []
    if median["fleet exec"] > MOST_CPU * base:
        failures.append(f"fleet exec costs {median['fleet exec'] / base:.2f} times the floor; the limit is {MOST_CPU}")
    if memory["fleet exec"] > MOST_MEMORY:
        failures.append(f"fleet exec holds {memory['fleet exec']:.0f} KB per open session; the limit is {MOST_MEMORY}")
    for failure in failures:
        print("FAILED: " + failure)
    if not failures:
        print(f"\nWithin the limits: {MOST_CPU} times the CPU of the floor, {MOST_MEMORY} KB per open session.")
    return 1 if failures else 0


main()
