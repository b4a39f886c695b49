"""One data directory with its history, through several kills."""

import collections
import itertools
import threading
import time

from checker import History, check
from leaver import STAGES, Leaver
from server import Lost, Refused, Server

# What has to be left open for a restart to come to these points.
NEEDS_OPEN_PUSH = {"settle.tidied": "push.judged", "settle.confirmed": "push.landed"}
AT_START = {"start.opened", "start.settled"}
# No point: wherever it is by then.
TIMER = "any moment"
# Longest restart that invariant 19 admits.
RESTART = 10


class Life:
    """Two candidates who push and hand in, one who leaves in the middle of
    everything, and some who come for a second."""

    def __init__(self, choice):
        self.server, self.history = Server(), History()
        self.stages = itertools.cycle(choice.sample(STAGES, len(STAGES)))
        self.serial = itertools.count()
        self.candidates, self.left = [], collections.Counter()
        # What git said of a repository, as long as no file of it changes.
        self.seen = {}
        self.server.start()
        self.server.assignment("rewrite", allowForcePush=True)
        self.server.assignment("plain")
        for name in ("rewrite", "plain", "plain"):
            candidate = self.server.candidate(name)
            candidate.start()
            self.candidates.append(candidate.clone())
        self.leaver = Leaver(self.candidates.pop())
        self.server.kill()

    def close(self):
        self.server.close()
        return (collections.Counter(answer for _, _, answer, _
                                    in self.history.pushes), self.left)

    def kill_at(self, point, choice, again):
        """Answers with the point at which it died: `point`, or TIMER."""
        server = self.server
        if point in AT_START:
            died = not server.start(f"{point}:1")
            server.kill()
            return point if died else TIMER
        if point == TIMER:
            server.start()
            self.work(point, choice.uniform(0.02, 1.5))
            server.kill()
            return TIMER
        first = NEEDS_OPEN_PUSH.get(point, point)
        # At first the shortest way there; then others.
        most = {"store": 60, "push": 8}.get(first.split(".")[0], 3)
        nth = choice.randint(1, most) if first == point and again else 1
        died = not server.start(f"{first}:{nth}")
        if not died:
            died = self.work(first, 8)
        server.kill()
        if first == point or not died:
            return first if died else TIMER
        died = not server.start(f"{point}:1")
        server.kill()
        return point if died else TIMER

    def work(self, point, seconds):
        """Until the server is dead, or for so long: whether it died by
        itself."""
        jobs = [self.push_and_submit, self.push_and_submit, self.leave]
        if not point.startswith("push."):
            jobs += [self.begin_and_expire]
        if point.startswith(("template.", "blob.")):
            jobs += [self.create]
        give_up = time.monotonic() + seconds
        threads = [threading.Thread(
            target=self.repeat, args=(job, index, give_up), daemon=True)
            for index, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        died = self.server.wait_dead(seconds)
        self.server.process.kill()
        for thread in threads:
            thread.join()
        return died

    def repeat(self, job, index, give_up):
        while self.server.alive() and time.monotonic() < give_up:
            try:
                job(index)
            except (Lost, Refused):
                # Refused: a repeat of what had happened, or a clock ran out.
                time.sleep(0.01)

    def push_and_submit(self, index):
        candidate = self.candidates[index]
        serial = next(self.serial)
        rewrites = index == 0 and serial % 3 == 0
        commit = candidate.commit(f"work {serial}", amend=rewrites)
        answer, said = candidate.push(*["--force"][:index == 0])
        self.history.pushes.append((candidate.attempt, commit, answer, said))
        if answer == "ok" and serial % 2 == 0:
            made = candidate.submit()
            self.history.submitted.append(
                (candidate.attempt, int(made["name"].rsplit("/", 1)[1]),
                 made["commit"]))

    def leave(self, index):
        stage = next(self.stages)
        commit, answer, said = self.leaver.leave(stage, next(self.serial))
        self.left[stage] += 1
        if commit:
            self.history.pushes.append(
                (self.leaver.candidate.attempt, commit, answer, said))

    def begin_and_expire(self, index):
        """Somebody new with a second on the clock, who pushes and waits."""
        name = f"short-{next(self.serial)}"
        self.server.assignment(name, seconds=1)
        self.history.assignments.append(name)
        candidate = self.server.candidate(name)
        candidate.start()
        self.history.started.append(candidate.attempt)
        candidate.clone()
        commit = candidate.commit(name)
        answer, said = candidate.push()
        self.history.pushes.append((candidate.attempt, commit, answer, said))
        self.server.wait_dead(1.2)

    def create(self, index):
        name = f"made-{next(self.serial)}"
        self.server.assignment(name)
        self.history.assignments.append(name)

    def judge(self):
        """Starts again as an operator's supervisor would, and checks."""
        self.server.start()
        problems = check(self.server.data, self.history, seen=self.seen)
        if self.server.ready_after > RESTART:
            problems.append(f"19: {self.server.ready_after:.1f} s to serve again")
        # Whoever was cut off simply goes on.
        for candidate in self.candidates:
            candidate.git("fetch", "-q", candidate.url(), "main")
            candidate.git("reset", "-q", "--hard", "FETCH_HEAD")
        self.server.kill()
        return problems
