#!/usr/bin/env python3
"""Disks that are full, and disks that fail: what cannot be kept is refused in
words, nothing is left half-written, and when there is room again, or the disk
works again, the next push is taken. On small file systems of its own, in a mount
namespace that goes with this process; what fails, fails by a preloaded library
(io_errors.c)."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from checker import History, check
from server import ENVIRONMENT, Lost, Refused, Server

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 1 << 18
GIT = "/usr/bin/git"
libc = ctypes.CDLL(None, use_errno=True)


def own_mounts():
    """Whether file systems can be mounted here without anybody else's notice."""
    return (libc.unshare(CLONE_NEWNS) == 0 and
            libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0)


class Filled:
    """A small file system with so many bytes left."""

    def __init__(self, place, megabytes):
        place.mkdir(parents=True, exist_ok=True)
        self.place = place
        self.filler = place / ".filler"
        options = f"size={megabytes}m,mode=0700".encode()
        if libc.mount(b"tmpfs", str(place).encode(), b"tmpfs", 0, options):
            raise unittest.SkipTest("cannot mount a tmpfs here: needs root")

    def fill(self, left):
        room = os.statvfs(self.place)
        free = room.f_bavail * room.f_frsize
        with open(self.filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free - left))

    def release(self):
        self.filler.unlink()

    def close(self):
        libc.umount2(str(self.place).encode(), 2)


class Part:
    """What of a server is on a disk with troubles."""

    def push(self, megabytes):
        folder = self.candidate.folder
        (folder / "large").write_bytes(os.urandom(megabytes << 20))
        commit = self.candidate.commit(f"{megabytes} MiB")
        answer, said = self.candidate.push()
        self.history.pushes.append((self.candidate.attempt, commit, answer, said))
        return answer, said

    def expect_nothing_half_made(self):
        repository = self.candidate.repository()
        left = [path for path in repository.rglob("*")
                if path.name.startswith("tmp_") or path.name.endswith(".lock")]
        # A next push clears them away; none of them is a ref or an object.
        for path in left:
            self.assertTrue(path.name.endswith(".lock") or
                            "objects" in str(path), path)
        self.assertEqual(check(self.server.data, self.history), [])

    def refused_and_then_taken(self):
        answer, said = self.push(3)
        self.assertNotEqual(answer, "ok", said)
        self.disk.release()
        self.expect_nothing_half_made()
        answer, said = self.push(1)
        self.assertEqual(answer, "ok", said + self.server.tail())
        self.expect_nothing_half_made()
        fsck = subprocess.run(
            ["git", "-C", self.candidate.repository(), "-c", "safe.directory=*",
             "fsck", "--strict"], env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual(fsck.returncode, 0, fsck.stderr)
        return said


class DiskTest(Part, unittest.TestCase):
    def begin(self, part):
        """A server whose data directory, or `part` of it, is a small disk."""
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.data.mkdir()
        self.disk = Filled(self.server.data / part, 24)
        self.addCleanup(self.disk.close)
        self.addCleanup(self.server.kill)
        self.server.start()
        self.server.assignment("task")
        self.candidate = self.server.candidate("task")
        self.candidate.start()
        self.candidate.clone()
        self.history = History()

    def test_no_room_for_the_pack(self):
        self.begin("repositories")
        self.disk.fill(left=1 << 20)
        self.refused_and_then_taken()

    def test_no_room_for_anything(self):
        self.begin("")
        self.disk.fill(left=16 << 10)
        try:
            self.server.candidate("task").start()
        except (Lost, Refused) as error:
            self.assertNotIsInstance(error, Lost)
        self.refused_and_then_taken()

    def test_no_room_for_the_body_is_said_to_whoever_pushes(self):
        self.begin("spool")
        self.disk.fill(left=64 << 10)
        answer, said = self.push(2)
        self.assertEqual(answer, "refused", said)
        self.assertIn("no room", said)
        self.disk.release()
        self.assertEqual(self.push(1)[0], "ok")


class IoErrorTest(Part, unittest.TestCase):
    """The same where writes and flushes end with EIO."""

    def begin(self, part):
        self.server = Server()
        self.addCleanup(self.server.close)
        compiler = shutil.which("clang-19") or shutil.which("cc")
        if not compiler:
            self.skipTest("needs a C compiler")
        library, self.flag = self.server.root / "eio.so", self.server.root / "eio"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library,
                        pathlib.Path(__file__).with_name("io_errors.c")],
                       check=True)
        self.server.environment = {"LD_PRELOAD": str(library),
                                   "ASSAY_EIO_FLAG": str(self.flag)}
        self.place = self.server.data / part
        self.addCleanup(self.server.kill)
        self.server.start()
        self.server.assignment("task")
        self.candidate = self.server.candidate("task")
        self.candidate.start()
        self.candidate.clone()
        self.history = History()
        self.disk = self

    def fail_from_now_on(self):
        draft = self.flag.with_suffix(".new")
        draft.write_text(str(self.place))
        draft.rename(self.flag)

    def release(self):
        self.flag.unlink()

    def wrap_git(self):
        """It is started with an environment of its own."""
        wrapper = self.server.root / "git"
        settings = " ".join(f"{name}='{value}'" for name, value
                            in self.server.environment.items())
        wrapper.write_text(f"#!/bin/sh\n{settings} exec /usr/lib/git-core/git "
                           '"$@"\n')
        wrapper.chmod(0o755)
        if libc.mount(str(wrapper).encode(), GIT.encode(), None, MS_BIND, None):
            self.fail("cannot mount over " + GIT)
        self.addCleanup(libc.umount2, GIT.encode(), 2)

    def test_of_the_repositories(self):
        self.begin("repositories")
        self.wrap_git()
        self.fail_from_now_on()
        self.refused_and_then_taken()

    def test_of_the_store(self):
        self.begin("store.db")
        self.fail_from_now_on()
        with self.assertRaisesRegex(Refused, "I/O error|store"):
            self.server.candidate("task")
        self.refused_and_then_taken()

    def test_of_the_blobs(self):
        self.begin("blobs")
        self.fail_from_now_on()
        with self.assertRaisesRegex(Refused, "Input/output error"):
            self.server.assignment("other")
        self.assertEqual(self.push(1)[0], "ok")
        self.release()
        self.server.assignment("other")
        self.assertEqual(check(self.server.data, self.history), [])


if __name__ == "__main__":
    if not own_mounts():
        print("disk_test: skipped: mounting needs root")
        sys.exit(77)
    unittest.main()
