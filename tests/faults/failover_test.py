#!/usr/bin/python3
"""PostgreSQL's machine is lost for good, and its synchronous standby takes over:
nothing that was acknowledged is lost. `ASSAY_FAULT_ROUNDS`: how many pushes and
runs were acknowledged before (20 in the long run)."""

import os
import signal
import subprocess
import threading
import time
import unittest

from checker import Store, problems_of
from fake_worker import FakeWorker, Silent
from fleet import RUN_SUITE, Postgres
from run_checker import run_problems
from run_history import RunHistory
from server import Lost, Refused, Server

ROUNDS = int(os.environ.get("ASSAY_FAULT_ROUNDS", "4"))


class Primary(Postgres):
    """Answers a commit when its standby has it on disk."""

    def prepare(self):
        with open(self.root / "data/pg_hba.conf", "a") as file:
            file.write("host replication all 127.0.0.0/8 trust\n")

    def require(self, name):
        with open(self.root / "data/postgresql.auto.conf", "a") as file:
            file.write(f"synchronous_standby_names = '{name}'\n")
        self.process.send_signal(signal.SIGHUP)


class Standby(Postgres):
    def __init__(self, primary, name):
        self.primary, self.name = primary, name
        super().__init__()

    def fill(self):
        subprocess.run(
            [self.BIN / "pg_basebackup", "-h", "127.0.0.1", "-p",
             str(self.primary.port), "-U", "postgres", "-D", self.root / "data",
             "-R", "-X", "stream", "-c", "fast", "-d",
             f"application_name={self.name}"], check=True, **self.as_user())

    def make_database(self):
        """It has its primary's."""

    def promote(self):
        subprocess.run([self.BIN / "pg_ctl", "promote", "-w", "-D",
                        self.root / "data"], check=True,
                       stdout=subprocess.DEVNULL, **self.as_user())


class FailoverTest(unittest.TestCase):
    def setUp(self):
        self.primary = Primary()
        self.addCleanup(self.primary.close)
        self.standby = Standby(self.primary, "second")
        self.addCleanup(self.standby.close)
        self.primary.require("second")
        self.server = Server(options=["--store", self.primary.dsn])
        self.addCleanup(self.server.close)
        self.history, self.memory = RunHistory(), {}
        self.server.start()
        self.server.assignment("task", suite=RUN_SUITE)
        self.candidate = self.server.candidate("task")
        self.candidate.start()
        self.candidate.clone()

    def work(self, enough, stopped):
        """Pushes, submissions and runs until the primary is gone."""
        worker = FakeWorker(self.server, self.history, "one").attach()
        try:
            while not stopped.is_set():
                commit = self.candidate.commit(f"{time.time()}")
                said, more = self.candidate.push()
                self.history.pushes.append(
                    (self.candidate.attempt, commit, said, more))
                made = self.candidate.submit()
                self.history.submitted.append(
                    (self.candidate.attempt, int(made["name"].rsplit("/", 1)[1]),
                     made["commit"]))
                worker.demand()
                worker.execute(worker.hear("lease", 3), 3)
                if len(self.history.submitted) >= ROUNDS:
                    enough.set()
        except (Lost, Refused, Silent):
            pass
        worker.leave()

    def problems(self):
        store = Store(self.server.data, dsn=self.standby.dsn)
        try:
            return [*problems_of(store, self.history),
                    *run_problems(store, self.history, self.memory)]
        finally:
            store.close()

    def test_nothing_acknowledged_is_lost(self):
        enough, stopped = threading.Event(), threading.Event()
        working = threading.Thread(target=self.work, args=(enough, stopped))
        working.start()
        self.assertTrue(enough.wait(60))
        self.primary.kill()
        stopped.set()
        working.join()
        began = time.monotonic()
        self.standby.promote()
        # What an operator, or what watches over PostgreSQL, says to assayd.
        self.server.kill()
        self.server.options = ["--store", self.standby.dsn]
        self.server.start()
        took = time.monotonic() - began
        give_up = time.monotonic() + 8
        while (found := self.problems()) and time.monotonic() < give_up:
            time.sleep(0.1)
        self.assertEqual(found, [])
        said = sum(answer == "ok" for _, _, answer, _ in self.history.pushes)
        self.assertGreaterEqual(said, ROUNDS)
        print(f"\n{said} pushes, {len(self.history.submitted)} submissions and "
              f"their runs acknowledged, then the standby serves after {took:.1f} s")
        self.candidate.git("fetch", "-q", self.candidate.url(), "main")
        self.candidate.git("reset", "-q", "--hard", "FETCH_HEAD")
        self.candidate.commit("after")
        self.assertEqual(self.candidate.push()[0], "ok")


if __name__ == "__main__":
    unittest.main()
