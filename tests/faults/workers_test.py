#!/usr/bin/python3
"""What workers must not be able to do to runs, whatever happens to them: fall
silent, come back, send twice, crash over one run, arrive all at once."""

import os
import signal
import subprocess
import threading
import time
import unittest

from checker import Store
from fake_worker import FakeWorker, Silent, finished, log, result, whole_run
from fleet import Fleet, answer, descendants, kill_one, wait_for
from messages import RunEvent
from run_checker import run_problems
from run_history import RunHistory
from server import BIN

LEASE = 10


class Installation(unittest.TestCase):
    workers, slots, poison = 0, 1, None

    def setUp(self):
        self.fleet = Fleet(os.environ.get("ASSAY_FAULT_STORE", "sqlite"),
                           self.workers, self.slots, self.poison).start()
        self.addCleanup(self.fleet.close)
        self.server, self.history = self.fleet.server, RunHistory()
        self.memory = {}
        self.fleet.assignment("task")

    def tearDown(self):
        # Each test leaves a history that breaks nothing.
        self.assertEqual(self.problems(), [])

    def problems(self):
        store = Store(self.server.data, dsn=self.fleet.dsn)
        try:
            return list(run_problems(store, self.history, self.memory))
        finally:
            store.close()

    def rows(self, query, *values):
        store = Store(self.server.data, dsn=self.fleet.dsn)
        try:
            return store.rows(query, *values)
        finally:
            store.close()

    def run_row(self, run):
        [row] = self.rows("SELECT * FROM runs WHERE id = ?", run)
        return row

    def pushed(self, assignment="task", kind="whole"):
        candidate = self.server.candidate(assignment)
        candidate.start()
        candidate.clone()
        commit = candidate.commit(candidate.attempt, files=answer(kind))
        self.assertEqual(candidate.push()[0], "ok")
        return candidate, commit

    def run_of(self, commit):
        return wait_for(
            lambda: self.rows("SELECT * FROM runs WHERE commit_id = ?", commit),
            5, "the push has a run")[0]["id"]

    def worker(self, name, **options):
        worker = FakeWorker(self.server, self.history, name, **options).attach()
        self.addCleanup(worker.leave)
        worker.hear("welcome")
        return worker


class WritesTest(Installation):
    def leased(self, worker):
        _, commit = self.pushed()
        worker.demand()
        return worker.hear("lease"), commit

    def test_repeats_are_absorbed_and_gaps_are_told(self):
        worker = self.worker("one")
        lease, _ = self.leased(worker)
        events = [log("a"), log("b", offset=1), log("c", offset=2, end=True)]
        worker.report(lease, 1, *events[:2])
        self.assertEqual(worker.acknowledged(lease), 3)
        worker.report(lease, 1, *events[:2])
        self.assertEqual(worker.acknowledged(lease), 3)
        worker.report(lease, 5, finished())
        self.assertEqual(worker.acknowledged(lease), 3)
        worker.report(lease, 2, *events[1:], result("first", 4),
                      result("second", 6), finished())
        self.assertEqual(worker.acknowledged(lease), 7)
        self.assertEqual(self.run_row(lease.run)["outcome"], 1)

    def test_another_verdict_is_refused_and_audited(self):
        worker = self.worker("one")
        lease, _ = self.leased(worker)
        worker.report(lease, 1, result("first", 4))
        worker.acknowledged(lease)
        worker.report(lease, 2, result("first", 4, verdict=2))
        self.assertEqual(worker.hear("revoke").run, lease.run)
        self.assertEqual(len(self.rows(
            "SELECT 1 FROM audit_log WHERE action = 'run.verdict_refused'")), 1)
        other = self.worker("other")
        other.demand()
        again = other.hear("lease")
        self.assertEqual((again.run, again.epoch), (lease.run, 2))
        self.assertEqual(other.execute(again), 5)

    def test_a_stale_epoch_writes_nothing(self):
        worker = self.worker("one")
        lease, _ = self.leased(worker)
        worker.hand_back(lease)
        other = self.worker("other")
        other.demand()
        again = other.hear("lease")
        for write in (lambda: worker.report(lease, 1, log("stale mark")),
                      lambda: worker.beat(lease), lambda: worker.hand_back(lease)):
            write()
            self.assertEqual(worker.hear("revoke").epoch, 1)
        # Another's lease with the right epoch is not one's own either.
        worker.report(again, 1, log("stolen mark"))
        while worker.hear("revoke").epoch != 2:
            pass
        self.history.note("refused", worker="one", run=lease.run, epoch=1,
                          marks=["stale mark", "stolen mark"])
        self.assertEqual(other.execute(again), 5)
        self.assertEqual(self.run_row(lease.run)["losses"], 0)

    def test_a_last_word_whose_answer_was_lost_is_told_again(self):
        worker = self.worker("one")
        lease, _ = self.leased(worker)
        worker.report(lease, 1, *whole_run())
        wait_for(lambda: self.run_row(lease.run)["state"] == 3, 5, "it ends")
        worker.leave()
        worker.attach(held=[lease])
        worker.report(lease, 1, *whole_run())
        self.assertEqual(worker.hear("revoke").run, lease.run)
        self.assertEqual(self.run_row(lease.run)["outcome"], 1)

    def test_a_server_that_was_killed_knows_its_leases(self):
        worker = self.worker("one")
        lease, _ = self.leased(worker)
        worker.report(lease, 1, log("a", end=True))
        worker.acknowledged(lease)
        self.server.kill()
        self.server.start()
        worker.attach(held=[lease])
        worker.hear("welcome")
        worker.report(lease, 2, *whole_run()[1:])
        self.assertEqual(worker.acknowledged(lease), 5)
        self.assertEqual(self.run_row(lease.run)["epoch"], 1)

    def test_our_failures_end_in_an_error_for_a_person_and_no_score(self):
        worker = self.worker("one")
        lease, _ = self.leased(worker)
        for epoch in (1, 2, 3):
            self.assertEqual(lease.epoch, epoch)
            worker.report(lease, 1, finished(7, "the sandbox broke"))
            if epoch < 3:
                worker.demand()
                lease = worker.hear("lease")
        row = wait_for(lambda: self.run_row(lease.run)["state"] == 3
                       and self.run_row(lease.run), 5, "it ends")
        self.assertEqual((row["outcome"], row["losses"]), (7, 3))

    def test_fifty_workers_at_once_get_a_run_each(self):
        commits = [self.pushed()[1] for _ in range(6)]
        crowd = [FakeWorker(self.server, self.history, f"w{i}") for i in range(50)]
        taken, lock = [], threading.Lock()

        def work(worker):
            worker.attach()
            worker.demand()
            try:
                while True:
                    lease = worker.hear("lease", 3)
                    worker.execute(lease, 20)
                    with lock:
                        taken.append((lease.run, lease.epoch))
            except Silent:
                pass

        threads = [threading.Thread(target=work, args=(worker,))
                   for worker in crowd]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for worker in crowd:
            self.addCleanup(worker.leave)
            self.assertIsNone(worker.error)
        self.assertEqual(sorted(taken),
                         sorted((self.run_of(commit), 1) for commit in commits))


class DrainTest(Installation):
    workers = 1

    def held(self):
        """What the worker holds: leased to it, and arrived."""
        log = (self.server.root / "worker-0.log").read_text()
        return [row for row in self.rows("SELECT * FROM runs WHERE state = 2")
                if f"run {row['id']} taken (epoch {row['epoch']})" in log]

    def drained(self, held):
        for row in held:
            self.history.note("drained", worker="worker-0", run=row["id"],
                              epoch=row["epoch"], losses=row["losses"])

    def test_a_worker_finishes_what_it_holds(self):
        _, commit = self.pushed()
        [row] = wait_for(self.held, 5, "the run is leased")
        self.fleet.workers[0].stop(signal.SIGTERM)
        self.drained([row])
        row = self.run_row(self.run_of(commit))
        self.assertEqual((row["outcome"], row["epoch"]), (1, 1))

    def test_a_second_signal_hands_back_without_a_loss(self):
        _, commit = self.pushed()
        [row] = wait_for(self.held, 5, "the run is leased")
        process = self.fleet.workers[0].process
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        self.fleet.workers[0].stop(signal.SIGINT)
        self.drained([row])
        self.fleet.workers[0].start()
        row = wait_for(lambda: self.run_row(row["id"])["state"] == 3
                       and self.run_row(row["id"]), 20, "another takes it")
        self.assertEqual((row["outcome"], row["losses"]), (1, 0))

    def test_a_coordinator_that_is_stopped_loses_no_run(self):
        _, commit = self.pushed()
        [row] = wait_for(self.held, 5, "the run is leased")
        self.server.stop()
        self.server.start()
        row = wait_for(lambda: self.run_row(row["id"])["state"] == 3
                       and self.run_row(row["id"]), 20, "its worker reports it")
        self.assertEqual((row["outcome"], row["epoch"], row["losses"]), (1, 1, 0))


class PoisonTest(Installation):
    workers, slots, poison = 2, 1, "poison-marker"

    def test_a_run_that_crashes_assay_run_costs_nobody_else(self):
        self.fleet.assignment("poison-marker")
        _, poisoned = self.pushed("poison-marker")
        others = [self.pushed()[1] for _ in range(3)]
        row = wait_for(lambda: self.run_row(self.run_of(poisoned))["state"] == 3
                       and self.run_row(self.run_of(poisoned)), 30, "it ends")
        self.assertEqual((row["outcome"], row["losses"]), (7, 3))
        self.assertIsNone(row["score"])
        for commit in others:
            row = wait_for(lambda c=commit: self.run_row(self.run_of(c))["state"] == 3
                           and self.run_row(self.run_of(c)), 30, "it ends")
            self.assertEqual((row["outcome"], row["losses"]), (1, 0))
        self.assertEqual(self.rows("SELECT 1 FROM workers WHERE state <> 1"), [])


class LauncherTest(Installation):
    def ends_as(self, files, program):
        """The outcome by assay-run of a run in which the launcher was killed
        while `program` ran in a cell."""
        _, commit = self.pushed()
        row = self.run_row(self.run_of(commit))
        tree = self.server.root / "tree"
        for path, content in {**answer("whole"), **files}.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(content)
        store = Store(self.server.data, dsn=self.fleet.dsn)
        plan = self.server.root / "plan"
        plan.write_bytes(store.blob(row["plan_digest"]))
        store.close()
        runner = subprocess.Popen(
            [BIN / "assay-runner", "--local", tree, "--plan", plan, "--data-dir",
             self.server.root / "local"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.addCleanup(runner.wait)
        self.addCleanup(runner.kill)
        wait_for(lambda: descendants(runner.pid, program), 20, "its cell runs")
        kill_one(descendants(runner.pid, "assay-launcher"))
        events = list(delimited(runner.stdout.read()))
        return events[-1].finished.outcome

    def test_a_launcher_that_dies_under_a_build_is_no_verdict(self):
        self.assertEqual(self.ends_as({"build.sh": "sleep 8\n"}, "sleep"), 7)

    def test_a_launcher_that_dies_under_a_service_is_no_verdict(self):
        self.assertEqual(self.ends_as({"start.sh": "sleep 8\n"}, "sleep"), 7)


def delimited(data):
    """Events, each behind its size."""
    at = 0
    while at < len(data):
        size, shift = 0, 0
        while True:
            size |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 0x80:
                break
        yield RunEvent.FromString(data[at:at + size])
        at += size


class ZombieTest(Installation):
    workers = 2

    def test_a_worker_that_slept_writes_nothing_and_kills_its_cells(self):
        candidate = self.server.candidate("task")
        candidate.start()
        candidate.clone()
        # Long enough to be asleep in: the build's own limit ends it.
        commit = candidate.commit("sleepy", files={
            **answer("whole"), "build.sh": "sleep 6\n"})
        candidate.push()
        run = self.run_of(commit)
        row = wait_for(lambda: self.run_row(run)["state"] == 2
                       and self.run_row(run), 5, "it is leased")
        zombie = next(worker for worker in self.fleet.workers
                      if row["worker"] in self.log_of(worker))
        wait_for(lambda: zombie.children("assay-run"), 5, "it executes")
        frozen = [zombie.process.pid, *descendants(zombie.process.pid)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        row = wait_for(lambda: self.run_row(run)["state"] == 3
                       and self.run_row(run), 4 * LEASE, "another finishes it")
        self.assertEqual((row["outcome"], row["epoch"], row["losses"]), (1, 2, 1))
        for pid in reversed(frozen):
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: "revoked" in self.log_of(zombie)
                 or not zombie.children("assay-run"), 15, "it is told")
        try:
            wait_for(lambda: not zombie.children("assay-run")
                     and not descendants(zombie.process.pid, "sleep"), 5,
                     "its cells die")
        finally:
            self.history.note(
                "survived", worker=zombie.name, run=run,
                cells=len(zombie.children("assay-run")) +
                len(descendants(zombie.process.pid, "sleep")))
        # And it is of use again.
        for worker in self.fleet.workers:
            if worker is not zombie:
                worker.stop(signal.SIGTERM)
        _, commit = self.pushed()
        row = wait_for(lambda: self.run_row(self.run_of(commit))["state"] == 3
                       and self.run_row(self.run_of(commit)), 20, "it works again")
        self.assertEqual(row["outcome"], 1)

    def log_of(self, worker):
        return (self.server.root / f"{worker.name}.log").read_text()


if __name__ == "__main__":
    unittest.main()
