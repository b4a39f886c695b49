#!/usr/bin/python3
"""Descriptors, processes, memory and disk run out: what cannot be kept is not
acknowledged, and the service answers again by itself (with a supervisor that
starts what has ended), within 15 s. So it does under connections that nobody
uses: `ASSAY_FAULT_CONNECTIONS` says how many (10,000 unless told)."""

import os
import pathlib
import pwd
import subprocess
import threading
import time
import unittest

from disk_test import Filled, own_mounts
from checker import Store, problems_of
from fake_worker import FakeWorker, Silent, whole_run
from fleet import RUN_SUITE, answer, speak_tls, wait_for
from flood import HALF_A_HELLO, Flood, allow_descriptors, answers
from run_checker import run_problems
from run_history import RunHistory
from server import Server

# The self-probe's 12, and a start.
PATIENCE = 15
CONNECTIONS = 1000
IDLE = int(os.environ.get("ASSAY_FAULT_CONNECTIONS", "10000"))
# How long handshakes are begun: longer than either port lets one last.
HANDSHAKING = 12


class ExhaustionTest(unittest.TestCase):
    def begin(self, before=None, tls=False, **options):
        self.server = Server(**options)
        self.addCleanup(self.server.close)
        if tls:
            speak_tls(self.server)
        if before:
            before()
        self.history, self.memory = RunHistory(), {}
        self.server.start()
        self.server.assignment("task", suite=RUN_SUITE)
        self.candidate = self.server.candidate("task")
        self.candidate.start()
        self.candidate.clone()

    def push(self, text="work", files=None):
        commit = self.candidate.commit(text, files=files)
        said, more = self.candidate.push()
        self.history.pushes.append((self.candidate.attempt, commit, said, more))
        return said, more

    def judge(self):
        give_up = time.monotonic() + 8
        while True:
            store = Store(self.server.data)
            found = [*problems_of(store, self.history),
                     *run_problems(store, self.history, self.memory)]
            store.close()
            if not found or time.monotonic() > give_up:
                return self.assertEqual(found, [])
            time.sleep(0.1)

    def supervise(self):
        if not self.server.alive():
            self.server.reap()
            self.server.start()

    def serves(self):
        return answers(self.server)

    def recovered(self):
        began = time.monotonic()
        wait_for(self.serves, PATIENCE, "it serves again")
        return time.monotonic() - began

    def test_descriptors(self):
        self.begin(prefix=["prlimit", "--nofile=160:160"])
        allow_descriptors()
        flood = self.flood(CONNECTIONS)
        pushing = threading.Thread(target=self.push, args=("during",))
        pushing.start()
        # Either port may have none left; what came before them may go on.
        pushing.join(4)
        flood.close()
        took = self.recovered()
        pushing.join()
        print(f"\n{CONNECTIONS} connections on 160 descriptors: a push then is "
              f"\"{self.history.pushes[-1][2]}\", answers {took:.1f} s after")
        self.assertEqual(self.push("after")[0], "ok")
        self.judge()

    def flood(self, count, **how):
        flood = Flood([self.server.grpc, self.server.web], count, **how)
        self.addCleanup(flood.close)
        return flood

    def test_idle_connections(self):
        if allow_descriptors() < IDLE + 1000:
            self.skipTest(f"{IDLE} connections need more descriptors")
        self.begin()
        began = time.monotonic()
        self.flood(IDLE)
        wait_for(self.serves, PATIENCE, "it serves beside them")
        took = time.monotonic() - began
        process = self.server.process
        self.assertEqual(self.push("beside them")[0], "ok")
        self.assertIs(self.server.process, process, "it was started again")
        print(f"\n{IDLE} idle connections: answers {took:.1f} s after the first")
        self.judge()

    def under_handshakes(self, count):
        """The longest that it took to answer on both ports."""
        flood = self.flood(count, words=HALF_A_HELLO, again=True)
        worst, end = 0.0, time.monotonic() + HANDSHAKING
        while time.monotonic() < end:
            worst = max(worst, self.recovered())
            time.sleep(0.1)
        # Each was given up, and has begun another one.
        self.assertGreater(flood.opened, count)
        return worst, flood

    def test_handshakes_that_are_never_finished(self):
        if allow_descriptors() < CONNECTIONS + 1000:
            self.skipTest(f"{CONNECTIONS} connections need more descriptors")
        self.begin(tls=True)
        process = self.server.process
        worst, _ = self.under_handshakes(CONNECTIONS)
        # Nobody's own handshake is given up for theirs.
        for number in range(8):
            said, more = self.push(f"beside them {number}")
            self.assertEqual(said, "ok", more)
        self.assertIs(self.server.process, process, "it was started again")
        print(f"\n{CONNECTIONS} handshakes at a time: answers within {worst:.1f} s")
        self.judge()

    def test_handshakes_take_all_descriptors(self):
        self.begin(tls=True, prefix=["prlimit", "--nofile=160:160"])
        allow_descriptors()
        flood = self.flood(CONNECTIONS, words=HALF_A_HELLO, again=True)
        time.sleep(HANDSHAKING / 2)
        flood.close()
        took = self.recovered()
        print(f"\n{CONNECTIONS} handshakes on 160 descriptors: answers {took:.1f} s "
              "after")
        self.assertEqual(self.push("after")[0], "ok")
        self.judge()

    def test_processes(self):
        user = pwd.getpwnam("nobody")
        def own():
            os.chmod(self.server.root, 0o755)
            self.server.data.mkdir()
            os.chown(self.server.data, user.pw_uid, user.pw_gid)

        become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                  "--clear-groups"]
        self.begin(own, prefix=["prlimit", "--nproc=200", *become])
        self.assertEqual(self.push("before")[0], "ok")
        # The limit is on a user's processes: others of that user take it up.
        others = [subprocess.Popen([*become, "sleep", "600"]) for _ in range(200)]
        said, more = self.push("without processes")
        for other in others:
            other.kill()
        for other in others:
            other.wait()
        self.assertNotEqual(said, "ok", more)
        took = self.recovered()
        print(f"\nno processes: a push is \"{said}\"; answers {took:.1f} s after")
        self.assertEqual(self.push("after")[0], "ok")
        self.judge()

    def test_memory(self):
        self.begin()
        pid = str(self.server.process.pid)
        status = pathlib.Path("/proc", pid, "status").read_text()
        size = int(status.split("VmSize:")[1].split()[0]) << 10
        subprocess.run(["prlimit", "--pid", pid, f"--as={size + (2 << 20)}:"],
                       check=True)
        answers = []
        for index in range(4):
            answers.append(self.push(f"{index}", {
                "large": os.urandom(6 << 20).hex()[:6 << 20]})[0])
            self.supervise()
        if self.server.process.pid == int(pid):
            subprocess.run(["prlimit", "--pid", pid, "--as=unlimited:"], check=True)
        # It must not be put down to whoever pushed.
        for _, _, said, more in self.history.pushes:
            self.assertFalse(said == "refused" and "memory" not in more, more)
        took = self.recovered()
        print(f"\nno memory: pushes are {answers}; answers {took:.1f} s after")
        self.push("after", {"large": None})
        self.assertEqual(self.history.pushes[-1][2], "ok")
        self.judge()

    def test_disk_of_the_store_while_a_run_reports(self):
        if not own_mounts():
            self.skipTest("mounting needs root")

        def small():
            self.disk = Filled(self.server.data, 24)
            self.addCleanup(self.disk.close)

        self.begin(small)
        self.addCleanup(self.server.kill)
        self.push("whole", answer("whole"))
        worker = FakeWorker(self.server, self.history, "one").attach()
        worker.demand()
        lease = worker.hear("lease")
        self.disk.fill(left=8 << 10)
        events = whole_run()
        events[0].log.content = b"x" * (1 << 20)
        worker.report(lease, 1, *events)
        with self.assertRaises(Silent):
            worker.acknowledged(lease, 3)
        self.disk.release()
        worker.leave()
        took = self.recovered()
        worker.attach(held=[lease])
        worker.hear("welcome")
        worker.report(lease, 1, *events)
        self.assertEqual(worker.acknowledged(lease), 5)
        print(f"\nno room: nothing was acknowledged; answers {took:.1f} s after")
        worker.leave()
        self.judge()


if __name__ == "__main__":
    unittest.main()
