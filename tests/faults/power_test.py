#!/usr/bin/python3
"""The power goes: what was not flushed to the disk is gone. The data directory
is on an ext4 of its own that is shut down without its journal (the kernel's
EXT4_IOC_SHUTDOWN, which xfstests calls godown) and mounted again. With git's
default `core.fsync` the same must lose what was acknowledged, or this test
would see nothing. `ASSAY_FAULT_ROUNDS`: how often (20 in the long run).

Needs root, loop devices and ext4."""

import fcntl
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time
import unittest

from checker import Store, problems_of
from disk_test import libc, own_mounts
from fake_worker import FakeWorker, Silent
from fleet import RUN_SUITE
from run_checker import run_problems
from run_history import RunHistory
from server import Lost, Refused, Server

ROUNDS = int(os.environ.get("ASSAY_FAULT_ROUNDS", "4"))
SEED = int(os.environ.get("ASSAY_FAULT_SEED", str(int(time.time()))))
EXT4_IOC_SHUTDOWN, WITHOUT_JOURNAL = 0x8004587D, 2
MS_BIND = 4096

# Says git's default where assayd says all.
DEFAULT_GIT = """\
#!/bin/sh
left=$#
while [ $left -gt 0 ]; do
  word=$1; shift
  [ "$word" = core.fsync=all ] && word=core.fsync=default
  set -- "$@" "$word"
  left=$((left - 1))
done
exec {real} "$@"
"""


class Disk:
    """A file system that forgets what was not flushed."""

    def __init__(self, place):
        self.place, self.image = place, place.with_suffix(".image")
        place.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(256 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", self.image],
                       check=True)
        self.mount()

    def mount(self):
        # Neither the journal nor data goes to the disk before it is asked for.
        subprocess.run(["mount", "-o", "loop,commit=600,noauto_da_alloc",
                        self.image, self.place], check=True)

    def cut(self):
        place = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(place, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_JOURNAL))
        os.close(place)

    def unmount(self):
        for _ in range(100):
            if not subprocess.run(["umount", self.place],
                                  stderr=subprocess.DEVNULL).returncode:
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.place} stays busy")


class PowerTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.disk = Disk(self.server.data)
        self.addCleanup(self.disk.unmount)
        self.addCleanup(self.server.kill)
        self.history, self.memory = RunHistory(), {}
        self.choice = random.Random(SEED)
        self.server.start()
        self.server.assignment("task", suite=RUN_SUITE)
        self.candidate = self.server.candidate("task")
        self.candidate.start()
        self.candidate.clone()
        # What is only built once must not be what every round depends on.
        os.sync()

    def work(self, count):
        """Pushes, submissions and runs, each acknowledged."""
        worker = FakeWorker(self.server, self.history, "one").attach()
        try:
            for _ in range(count):
                commit = self.candidate.commit(f"{time.time()}")
                said, more = self.candidate.push()
                self.history.pushes.append(
                    (self.candidate.attempt, commit, said, more))
                made = self.candidate.submit()
                self.history.submitted.append(
                    (self.candidate.attempt, int(made["name"].rsplit("/", 1)[1]),
                     made["commit"]))
                worker.demand()
                lease = worker.hear("lease")
                self.assertEqual(worker.execute(lease), 5)
        except (Lost, Refused, Silent):
            pass
        worker.leave()

    def cut_and_start(self):
        self.disk.cut()
        self.server.kill()
        self.disk.unmount()
        self.disk.mount()
        began = time.monotonic()
        self.server.start()
        return time.monotonic() - began

    def problems(self):
        store = Store(self.server.data)
        try:
            return [*problems_of(store, self.history),
                    *run_problems(store, self.history, self.memory)]
        finally:
            store.close()

    def judged(self):
        give_up = time.monotonic() + 5
        while (problems := self.problems()) and time.monotonic() < give_up:
            time.sleep(0.1)
        return problems

    def test_what_was_acknowledged_is_there(self):
        print(f"\nseed {SEED}")
        for number in range(ROUNDS):
            self.work(self.choice.randint(1, 3))
            self.assertLess(self.cut_and_start(), 10)
            self.assertEqual(self.judged(), [], f"after cut {number}")
            # Whoever was cut off goes on from what the server has.
            self.candidate.git("fetch", "-q", self.candidate.url(), "main")
            self.candidate.git("reset", "-q", "--hard", "FETCH_HEAD")
        self.assertGreaterEqual(
            sum(answer == "ok" for _, _, answer, _ in self.history.pushes), ROUNDS)

    def test_with_gits_default_it_would_not_be(self):
        real, wrapped = (self.server.root / name for name in ("git-real", "git"))
        shutil.copy2("/usr/bin/git", real)
        wrapped.write_text(DEFAULT_GIT.format(real=real))
        wrapped.chmod(0o755)
        self.assertEqual(libc.mount(str(wrapped).encode(), b"/usr/bin/git", None,
                                    MS_BIND, None), 0)
        self.addCleanup(lambda: libc.umount2(b"/usr/bin/git", 2))
        for _ in range(max(ROUNDS, 4)):
            self.work(2)
            try:
                self.cut_and_start()
                lost = self.judged()
            except AssertionError as error:
                lost = [str(error)]
            if lost:
                print(f"\nlost, as it has to be: {lost[0]}")
                self.assertIn(lost[0].split(":")[0], ("1", "2", "18", "4"), lost)
                return
        self.fail("nothing was lost: this disk forgets nothing")


if __name__ == "__main__":
    if (os.geteuid() != 0 or not pathlib.Path("/dev/loop-control").exists()
            or not shutil.which("mkfs.ext4") or not own_mounts()):
        print("needs root, loop devices and mkfs.ext4", file=sys.stderr)
        sys.exit(77)
    unittest.main()
