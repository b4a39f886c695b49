"""Machines of a small network, each a network namespace: they can be cut off,
paused and killed. The calling program is a machine of that network too, with
PostgreSQL on it. Needs root; call `own_network` before there is any thread."""

import ctypes
import os
import signal
import subprocess

from fleet import Postgres, descendants, wait_for

CLONE_NEWNET = 0x40000000
NETWORK, HERE = "10.77.0.", "10.77.0.1"


def ip(*words, inside=None):
    where = ["nsenter", "-t", str(inside), "-n", "--"] if inside else []
    subprocess.run([*where, "ip", *map(str, words)], check=True)


def own_network():
    """False: it cannot be had here."""
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(CLONE_NEWNET):
        return False
    try:
        ip("link", "set", "lo", "up")
        ip("link", "add", "lab", "type", "bridge")
        ip("addr", "add", HERE + "/24", "dev", "lab")
        ip("link", "set", "lab", "up")
    except (subprocess.CalledProcessError, FileNotFoundError):
        return False
    return True


def send(pid, what):
    """If it is still there."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


class Host:
    """One machine, with an address; `number` from 2 to 254."""

    def __init__(self, number):
        self.number, self.address = number, f"{NETWORK}{number}"
        self.wire = f"to{number}"
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        mine = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != mine, 5,
                 "a namespace")
        ip("link", "add", self.wire, "type", "veth", "peer", "name", "eth0",
           "netns", self.holder.pid)
        ip("link", "set", self.wire, "master", "lab", "up")
        ip("link", "set", "lo", "up", inside=self.holder.pid)
        ip("addr", "add", self.address + "/24", "dev", "eth0",
           inside=self.holder.pid)
        ip("link", "set", "eth0", "up", inside=self.holder.pid)
        self.paused = []

    @property
    def prefix(self):
        """Before a command that is to run there."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", "--"]

    def cut(self):
        """No packet leaves or arrives; nobody is told."""
        ip("link", "set", self.wire, "down")

    def mend(self):
        ip("link", "set", self.wire, "up")

    def pause(self, *roots):
        """Stands still, with what it has started."""
        self.paused = [pid for root in roots
                       for pid in (root, *descendants(root))]
        for pid in self.paused:
            send(pid, signal.SIGSTOP)

    def resume(self):
        for pid in reversed(self.paused):
            send(pid, signal.SIGCONT)
        self.paused = []

    def close(self):
        self.resume()
        self.holder.kill()
        self.holder.wait()


class NetworkPostgres(Postgres):
    """Heard in the whole network."""

    listens = HERE

    def prepare(self):
        with open(self.root / "data/pg_hba.conf", "a") as file:
            file.write(f"host all all {NETWORK}0/24 trust\n")
