"""A whole installation for the fault tests: assayd on either store, workers,
and everything of them killed by pid and started again."""

import os
import pathlib
import pwd
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from server import BIN, ENVIRONMENT, SOURCE, Server

sys.path.insert(1, str(SOURCE / "tests/e2e"))
from bucket import KEYS, Bucket  # noqa: E402
from certificates import Authority  # noqa: E402

# A service of one program that is there at once.
RUN_SUITE = """\
version: 1
name: Task
limits: { run: 30s, build: 10s, check: 5s, request: 2s }
environment: { image: host, egress: [] }
service:
  build: { run: sh ./build.sh }
  start: { run: sh ./start.sh }
  ready: { get: /ready.txt, status: 200, within: 20s }
checks:
  - { id: first, title: Is there, points: 4, visibility: public,
      steps: [ { get: /first.txt, expect: { status: 200 } } ] }
  - { id: second, title: Is also there, points: 6, visibility: public,
      steps: [ { get: /second.txt, expect: { status: 200 } } ] }
"""

START = "cd www && exec busybox httpd -f -p 8080\n"
LINES = 300
BUILD = f"seq 1 {LINES}\nseq 1 20 >&2\n"
COMPLETED, BUILD_FAILED, NEVER_READY, CRASHED, ERRORED = 1, 2, 3, 4, 7

# What candidates push, and what it deserves: outcomes and points earned.
ANSWERS = {
    "whole": ({"www/first.txt": "1", "www/second.txt": "2"}, {COMPLETED}, 10),
    "half": ({"www/first.txt": "1"}, {COMPLETED}, 4),
    "unbuilt": ({"build.sh": BUILD + "exit 3\n"}, {BUILD_FAILED}, 0),
    "dead": ({"start.sh": "exit 41\n"}, {NEVER_READY, CRASHED}, 0),
}


def answer(kind):
    """The files of an answer of this kind."""
    return dict({"build.sh": BUILD, "start.sh": START, "www/ready.txt": "yes",
                 "www/first.txt": None, "www/second.txt": None},
                **ANSWERS[kind][0])


def parents():
    """{pid: (parent, name)} of every process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = pathlib.Path("/proc", pid, "stat").read_text()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:].rsplit(") ", 1)
        found[int(pid)] = int(rest.split()[1]), name
    return found


def descendants(root, name=None):
    """pids below `root`, of those that are called `name`."""
    known, below = parents(), []
    for pid in known:
        above = pid
        while above in known and above != root:
            above = known[above][0]
        if above == root and pid != root:
            below.append(pid)
    # Names are cut to 15 bytes.
    return [pid for pid in below if name is None or known[pid][1] == name[:15]]


def kill_one(pids):
    """SIGKILL for the first that is still there; its pid, or None."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            return pid
        except ProcessLookupError:
            continue
    return None


def wait_for(what, seconds, message):
    """What `what` answers with, once it is something."""
    give_up = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {seconds} s: {message}")
        time.sleep(0.02)
    return found


def gone(pid):
    """Whether the process has ended: reaped, or waiting to be."""
    try:
        text = pathlib.Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return True
    return text.rsplit(") ", 1)[1][0] in "ZX"


class Postgres:
    """Debian's PostgreSQL with a cluster of its own, under the user postgres."""

    listens = "127.0.0.1"
    BIN = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))), None)

    def __init__(self):
        self.user = pwd.getpwnam("postgres")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="assay-fault-pg-"))
        os.chown(self.root, self.user.pw_uid, self.user.pw_gid)
        self.process, self.port = None, self.free_port()
        self.ready_after = 0.0
        self.fill()
        self.prepare()
        self.start()
        self.make_database()

    def fill(self):
        """The cluster's data."""
        subprocess.run(
            [self.BIN / "initdb", "--no-sync", "-A", "trust", "-U", "postgres",
             "--no-instructions", "--locale=C.UTF-8", "-E", "UTF8", "-D",
             self.root / "data"], check=True, stdout=subprocess.DEVNULL,
            **self.as_user())

    def make_database(self):
        subprocess.run(
            [self.BIN / "createdb", "-h", self.listens, "-p", str(self.port),
             "-U", "postgres", "assay"], check=True, **self.as_user())

    def prepare(self):
        """Before it starts for the first time."""

    @property
    def dsn(self):
        return f"postgres://postgres@{self.listens}:{self.port}/assay"

    @staticmethod
    def free_port():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return free.getsockname()[1]

    def as_user(self):
        if os.geteuid() != 0:
            return {"cwd": "/"}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid,
                "extra_groups": [], "cwd": "/"}

    def start(self):
        began = time.monotonic()
        while True:
            # What a postmaster that was killed has left must be gone first.
            with open(self.root / "log", "ab") as log:
                self.process = subprocess.Popen(
                    [self.BIN / "postgres", "-D", self.root / "data", "-p",
                     str(self.port), "-c", f"listen_addresses={self.listens}", "-k",
                     self.root, "-c", "max_connections=60", "-c",
                     "recovery_init_sync_method=syncfs"],
                    stdout=log, stderr=log, **self.as_user())
            while self.process.poll() is None:
                if not subprocess.run(
                        [self.BIN / "pg_isready", "-q", "-h", self.listens, "-p",
                         str(self.port)]).returncode:
                    self.ready_after = time.monotonic() - began
                    return
                time.sleep(0.1)
            if time.monotonic() - began > 20:
                raise AssertionError("PostgreSQL did not start:\n" + (
                    self.root / "log").read_text(errors="replace")[-2000:])

    def kill(self):
        """The postmaster; its children see that and leave."""
        children = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for child in children:
            wait_for(lambda pid=child: gone(pid), 10, "a backend leaves")

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        shutil.rmtree(self.root, ignore_errors=True)


WRAPPER = """\
#!/bin/sh
if /usr/bin/mv {fault} {fault}.$$ 2>/dev/null; then
  ASSAY_FAULT=$(/usr/bin/cat {fault}.$$)
  export ASSAY_FAULT
fi
{before}
exec {program} "$@"
"""


class Worker:
    """An assay-runner, whose children may be armed with a fault point: the
    next one that starts."""

    def __init__(self, server, name, slots=2, poison=None):
        self.server, self.name, self.slots = server, name, slots
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=name + "-",
                                                  dir=server.root))
        self.process, self.ready_after, self.address = None, 0.0, None
        self.prefix, self.enrolment = [], None
        # A run that crashes its assay-run, whatever worker it is on.
        before = "" if poison is None else (
            f"if /usr/bin/grep -qa {poison} /proc/self/fd/3; "
            "then kill -KILL $$; fi")
        self.wrap("assay-run", before)
        self.wrap("assay-launcher", "")

    def wrap(self, program, before):
        file = self.root / program
        file.write_text(WRAPPER.format(fault=self.root / f"{program}.fault",
                                       before=before, program=BIN / program))
        file.chmod(0o755)

    def arm(self, fault):
        """Of assay-run or assay-launcher: the next one to start dies there."""
        program = "assay-run" if fault.startswith("run.") else "assay-launcher"
        draft = self.root / "draft"
        draft.write_text(fault)
        draft.rename(self.root / f"{program}.fault")

    def disarm(self):
        for program in ("assay-run", "assay-launcher"):
            (self.root / f"{program}.fault").unlink(missing_ok=True)

    def start(self, fault=None):
        environment = dict(ENVIRONMENT)
        if fault:
            environment["ASSAY_FAULT"] = fault
        began = time.monotonic()
        self.log = open(self.server.root / f"{self.name}.log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, BIN / "assay-runner", "--server", self.address or self.server.grpc,
             *self.proof(), "--data-dir", self.root / "data", "--name", self.name, "--slots",
             str(self.slots), "--run", self.root / "assay-run", "--launcher",
             self.root / "assay-launcher", "--unpack", BIN / "assay-unpack"],
            stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        # Only an attached one is ready.
        told, _, _ = select.select([self.process.stdout], [], [], 30)
        ready = self.process.stdout.readline() if told else ""
        self.ready_after = time.monotonic() - began
        return bool(ready)

    def proof(self):
        """Who it is: over TLS a certificate says so."""
        if self.server.authority is None:
            return ["--token-file", self.server.data / "worker.token"]
        if self.enrolment is None:
            self.enrolment = self.server.call(
                "WorkerService/PermitEnrolment",
                {"name": "workers/" + self.name}, self.server.admin)["token"]
        return ["--ca", self.server.authority, "--enrol", self.enrolment]

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def children(self, program):
        return descendants(self.process.pid, program)

    def kill(self):
        self.stop(signal.SIGKILL)

    def stop(self, how=signal.SIGTERM, patience=60):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(patience)
        self.process.stdout.close()
        self.log.close()
        self.process = None


class FaultyBucket(Bucket):
    """One whose network and server have troubles, which pass."""

    KINDS = ("slow_down", "cut_upload", "lose_answer", "cut_answer", "garble")

    def __init__(self, choice, host="127.0.0.1"):
        super().__init__(tempfile.mkdtemp(prefix="assay-fault-s3-"), host)
        # Of its own: whoever else chooses is not to be disturbed.
        self.choice = random.Random(choice.random())
        self.quiet, self.over = True, threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        while not self.over.wait(self.choice.uniform(0.3, 1.0)):
            kind, times = self.choice.choice(self.KINDS), self.choice.randint(1, 2)
            # What was not broken by now stays whole.
            self.break_next()
            if not self.quiet:
                self.break_next(kind=kind, times=times,
                                method="GET" if kind == "garble" else "")

    def close(self, keep=False):
        self.over.set()
        self.thread.join()
        self.stop()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)


def speak_tls(server):
    """With a certificate of an authority of its own."""
    authority = Authority(server.root / "authority")
    certificate, key = (server.root / name for name in ("tls.pem", "tls.key"))
    authority.issue(certificate, key)
    server.authority = authority.certificate
    server.options += ["--tls-cert", str(certificate), "--tls-key", str(key)]


class Fleet:
    """A server, its store, and workers."""

    def __init__(self, store="sqlite", workers=2, slots=2, poison=None,
                 bucket=None, tls=False):
        self.postgres = Postgres() if store == "postgres" else None
        self.bucket = bucket
        self.server = Server(
            environment=KEYS if bucket else None,
            options=[*(["--store", self.postgres.dsn] if self.postgres else ()),
                     *(bucket.options if bucket else ())])
        if tls:
            speak_tls(self.server)
        self.workers = [Worker(self.server, f"worker-{i}", slots, poison)
                        for i in range(workers)]

    @property
    def dsn(self):
        return self.postgres.dsn if self.postgres else None

    def start(self):
        self.server.start()
        for worker in self.workers:
            worker.start()
        return self

    def assignment(self, name, suite=RUN_SUITE, **spec):
        return self.server.assignment(name, suite=suite, **spec)

    def close(self):
        for worker in self.workers:
            worker.kill()
        self.server.close()
        if self.postgres:
            self.postgres.close()
        if self.bucket:
            self.bucket.close()

    def keep(self):
        """Stops everything and leaves the data where it is."""
        for worker in self.workers:
            worker.kill()
        self.server.kill()
        if self.postgres:
            self.postgres.process.send_signal(signal.SIGINT)
            self.postgres.process.wait(30)
        if self.bucket:
            self.bucket.close(keep=True)


def version_of(program):
    said = subprocess.run([BIN / program, "--version"], capture_output=True,
                          text=True).stdout
    return re.search(r"\d+\.\d+\.\d+\S*", said)[0]
