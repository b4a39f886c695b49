"""One installation with its history, through kills of everything in it."""

import collections
import itertools
import signal
import threading
import time

from checker import Store, problems_of
from fleet import ANSWERS, FaultyBucket, Fleet, answer, descendants, kill_one, wait_for
from run_checker import run_problems
from run_history import RunHistory
from server import Lost, Refused, all_fault_points
from watcher import Audience

TIMER = "any moment"
# Longest restart that invariant 19 admits.
RESTART = 10
# A dead worker's lease, the sweep behind it, and the run itself.
DRAIN = 60
# Where the other loop, of assayd alone, has to arrange something first.
ARRANGED = ("settle.", "start.", "template.", "deadline.", "repository.", "blob.",
            "attempt.")
# Points that nothing comes to by itself.
PROVOKED = ("lease.expired", "handback.stored", "worker.returning")
PROGRAMS = {"worker.": "assay-runner", "run.": "assay-run",
            "launcher.": "assay-launcher"}


def program_of(point):
    return next((program for prefix, program in PROGRAMS.items()
                 if point.startswith(prefix)), "assayd")


def targets(store):
    """(program, point) of everything that is to be killed."""
    points = [point for point in all_fault_points()
              if not point.startswith(ARRANGED)]
    anywhere = ["assayd", "assay-runner", "assay-run", "assay-launcher", "git"]
    if store == "postgres":
        anywhere.append("postgres")
    return [(program_of(point), point) for point in points] + [
        (program, TIMER) for program in anywhere for _ in range(2)]


class FleetLife:
    def __init__(self, choice, store="sqlite", workers=2, blobs="local",
                 tls=False):
        self.choice, self.lock = choice, threading.Lock()
        self.bucket = self.make_bucket() if blobs == "s3" else None
        self.fleet = self.make(store, workers, tls).start()
        self.server = self.fleet.server
        self.history = RunHistory(self.server.root / "history.jsonl")
        self.memory, self.seen = {}, {}
        self.serial = itertools.count()
        self.recovered, self.candidates = collections.Counter(), []
        self.unanswered = []
        self.stopped = True
        for name in ("one", "two"):
            self.fleet.assignment(name)
        for name in ("one", "one", "two"):
            candidate = self.server.candidate(name)
            candidate.start()
            self.candidates.append(candidate.clone())
        self.audience = Audience(self.server, self.history, 2)

    def make(self, store, workers, tls):
        return Fleet(store, workers, bucket=self.bucket, tls=tls)

    def make_bucket(self):
        return FaultyBucket(self.choice)

    def store(self):
        return Store(self.server.data, self.seen, self.fleet.dsn,
                     blobs=self.bucket and self.bucket.folder)

    # The load.

    def begin(self):
        self.trouble(True)
        self.stopped = False
        self.threads = [threading.Thread(target=self.loop, args=(index,),
                                         daemon=True)
                        for index in range(len(self.candidates))]
        for thread in self.threads:
            thread.start()

    def trouble(self, there):
        """Of the bucket, if there is one."""
        if self.bucket:
            self.bucket.quiet = not there

    def end(self):
        self.stopped = True
        for thread in self.threads:
            thread.join()

    def loop(self, index):
        while not self.stopped:
            try:
                self.push(self.candidates[index])
            except (Lost, Refused):
                pass
            time.sleep(0.05)

    def push(self, candidate):
        serial = next(self.serial)
        with self.lock:
            kind = self.choice.choice(list(ANSWERS))
        commit = candidate.commit(f"{kind} {serial}", files=answer(kind))
        self.history.note("expected", commit=commit, answer=kind)
        said, more = candidate.push()
        self.history.pushes.append((candidate.attempt, commit, said, more))
        if said != "ok":
            return
        if serial % 6 == 0:
            with self.lock:
                self.unanswered.append((candidate, f"request-{serial}"))
        self.hand_in()
        for run in self.server.call(
                "RunService/ListRuns", {"attempt": candidate.attempt,
                                        "pageSize": 2},
                self.server.admin).get("runs", []):
            self.audience.offer(run["name"])

    def hand_in(self):
        """What was asked before, until it is answered; then once more."""
        with self.lock:
            if not self.unanswered:
                return
            candidate, request = self.unanswered.pop(0)
        self.history.note("asked", attempt=candidate.attempt, request=request)
        try:
            for _ in range(2):
                made = candidate.submit(request)
                self.history.submitted.append(
                    (candidate.attempt, int(made["name"].rsplit("/", 1)[1]),
                     made["commit"]))
                self.history.note("answered", method="CreateSubmission",
                                  request=request,
                                  digest=made["name"] + " " + made["commit"])
        except Lost:
            with self.lock:
                self.unanswered.append((candidate, request))

    # The kills.

    def kill_at(self, program, point):
        """Whether it died at `point`; it is running again afterwards."""
        worker = self.choice.choice(self.fleet.workers)
        nth = self.choice.randint(1, 40 if point.startswith("store.") else 4)
        if point in PROVOKED:
            nth = 1
        if program == "assayd" and point != TIMER:
            self.restart("assayd", f"{point}:{nth}")
        if program == "assay-runner" and point != TIMER:
            self.restart(program, f"{point}:{nth}", worker)
        if program == "assay-run" and point != TIMER:
            worker.arm(f"{point}:{nth}")
        if program == "assay-launcher" and point != TIMER:
            worker.arm(f"{point}:{nth}")
            self.restart("assay-runner", None, worker)
        self.begin()
        try:
            if point == TIMER:
                time.sleep(self.choice.uniform(0.1, 1.0))
                return self.kill(program, worker)
            self.provoke(point, worker)
            died = self.await_death(program, worker,
                                    16 if point == "lease.expired" else 8)
            if not died:
                # Later it would die in the middle of something else.
                self.disarm(program, worker)
            return died
        finally:
            worker.disarm()
            self.repair()
            self.end()

    def provoke(self, point, worker):
        """What comes to some points only when something else goes wrong."""
        if point not in PROVOKED:
            return
        # Or it came there by itself already, and leases nothing more.
        wait_for(lambda: worker.children("assay-run") or not self.server.alive(), 10,
                 "the worker is busy")
        if not self.server.alive():
            return
        if point == "lease.expired":
            worker.process.kill()
            worker.process.wait()
        else:
            # Hands back at once.
            worker.process.send_signal(signal.SIGINT)

    def await_death(self, program, worker, seconds=8):
        """Of a program that is armed, by itself."""
        give_up = time.monotonic() + seconds
        armed = worker.root / f"{program}.fault"
        while time.monotonic() < give_up:
            if program == "assayd" and not self.server.alive():
                return True
            if program in ("assay-runner", "assay-launcher") and not worker.alive():
                return True
            if program == "assay-run" and not armed.exists():
                # Taken by one that has started, and dies soon.
                time.sleep(0.5)
                return True
            time.sleep(0.02)
        return False

    def kill(self, program, worker):
        """By pid, wherever it is; False when there was none within a while."""
        if program == "assayd":
            self.server.process.kill()
            self.server.process.wait()
            return True
        if program == "postgres":
            self.fleet.postgres.kill()
            return True
        if program == "assay-runner":
            worker.process.kill()
            worker.process.wait()
            return True
        root = self.server.process.pid if program == "git" else worker.process.pid
        give_up = time.monotonic() + 4
        while time.monotonic() < give_up:
            if kill_one(descendants(root, program)):
                return True
        return False

    def disarm(self, program, worker):
        if program == "assayd":
            self.restart("assayd")
        elif program in ("assay-runner", "assay-launcher"):
            self.restart("assay-runner", None, worker)

    def restart(self, program, fault=None, worker=None):
        if program == "assayd":
            self.server.kill()
            if not self.server.start(fault):
                self.server.reap()
                self.server.start()
            return self.server.ready_after
        worker.stop(signal.SIGKILL)
        if not worker.start(fault):
            worker.stop(signal.SIGKILL)
            worker.start()
        return worker.ready_after

    def repair(self):
        """What a supervisor does: whatever has ended starts again."""
        # How long that takes is to be ours alone.
        self.trouble(False)
        began = time.monotonic()
        postgres = self.fleet.postgres
        if postgres and postgres.process.poll() is not None:
            postgres.start()
            self.note_recovery("postgres", postgres.ready_after)
        if not self.server.alive():
            self.server.reap()
            self.note_recovery("assayd", self.restart("assayd"))
        for worker in self.fleet.workers:
            # One whose launcher died gives back what it had and leaves.
            if worker.alive() and not worker.children("assay-launcher"):
                worker.process.wait(20)
            if not worker.alive():
                self.note_recovery("worker", self.restart("assay-runner",
                                                          worker=worker))
        self.write_something()
        self.note_recovery("all", time.monotonic() - began)

    def write_something(self):
        """Serving means that something can be kept."""
        def write():
            try:
                name = f"kept-{next(self.serial)}"
                self.server.assignment(name)
                self.history.assignments.append(name)
                return True
            except (Lost, Refused):
                return False
        wait_for(write, 30, "a write is taken")

    def note_recovery(self, what, seconds):
        self.history.note("recovered", what=what, seconds=seconds)
        self.recovered[what] = max(self.recovered[what], seconds)

    # The judgement.

    def problems(self):
        history, store = self.history.frozen(), self.store()
        try:
            return [*problems_of(store, history),
                    *run_problems(store, history, self.memory)]
        finally:
            store.close()

    def judge(self, patience=8):
        """Nobody pushes meanwhile; workers go on."""
        give_up = time.monotonic() + patience
        while (problems := self.problems()) and time.monotonic() < give_up:
            time.sleep(0.1)
        problems += [f"19: {told['what']} took {told['seconds']:.1f} s"
                     for told in self.history.of("recovered")
                     if told["seconds"] > RESTART]
        return problems

    def drain(self):
        """Every run comes to its end."""
        def idle():
            store = self.store()
            try:
                return not store.rows("SELECT 1 FROM runs WHERE state IN (1, 2)")
            finally:
                store.close()
        try:
            wait_for(idle, DRAIN, "every run ends")
        except AssertionError as stuck:
            return [f"8: {stuck}"]
        return self.judge()

    def counts(self):
        """What there was to be lost."""
        store = self.store()
        try:
            rows = store.rows("SELECT state, outcome, epoch, losses FROM runs")
        finally:
            store.close()
        counts = collections.Counter(answer for _, _, answer, _
                                     in self.history.pushes)
        counts["runs"] = len(rows)
        counts["finished"] = sum(row["state"] == 3 for row in rows)
        counts["errored"] = sum(row["outcome"] == 7 for row in rows)
        counts["leased again"] = sum(row["epoch"] > 1 for row in rows)
        counts["watched"] = len(self.history.of("watched"))
        counts["followed to the end"] = sum(
            told["ended"] for told in self.history.of("watched"))
        return counts

    def close(self, keep=False):
        self.audience.close()
        if keep:
            self.history.save()
            self.fleet.keep()
        else:
            self.fleet.close()


