#!/usr/bin/env python3
"""Kills assayd with SIGKILL at named points while candidates push, hand in and
reach their deadlines, starts it again, and checks every invariant.

    tests/faults/kill_loop.py                   each point once (what CI runs)
    tests/faults/kill_loop.py --kills 1000      at random, each point >= 10 times
    tests/faults/kill_loop.py --kills 1000 --record   ... and writes docs/faults.md

The seed is printed; a run with the same seed makes the same choices. A history
that breaks an invariant is kept with its data, and its place is printed."""

import argparse
import collections
import datetime
import itertools
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
if "ASSAY_BIN_DIR" not in os.environ:
    top = pathlib.Path(__file__).resolve().parents[2]
    os.environ["ASSAY_SOURCE_DIR"] = str(top)
    os.environ["ASSAY_BIN_DIR"] = str(top / "build/release/bin")

from checker import History, check  # noqa: E402
from server import SOURCE, Lost, Refused, Server, fault_points  # noqa: E402

# What has to be left open for a restart to come to these points.
NEEDS_OPEN_PUSH = {"settle.tidied": "push.judged", "settle.confirmed": "push.landed"}
AT_START = {"start.opened", "start.settled"}
# Lives of one data directory: checks take longer the more there is.
LIVES = 25
# Longest restart that invariant 19 admits.
RESTART = 10


class Life:
    """One data directory with its history, through several kills."""

    def __init__(self, choice):
        self.choice = choice
        self.server, self.history = Server(), History()
        self.serial = itertools.count()
        self.candidates = []
        self.server.start()
        self.server.assignment("rewrite", allowForcePush=True)
        self.server.assignment("plain")
        for name in ("rewrite", "plain"):
            candidate = self.server.candidate(name)
            candidate.start()
            self.candidates.append(candidate.clone())
        self.server.kill()

    def close(self):
        """Where nothing was taken, nothing was tested."""
        answers = collections.Counter(answer for _, _, answer, _
                                      in self.history.pushes)
        if self.history.pushes and not answers["ok"]:
            raise SystemExit(f"no push was taken: {self.history.pushes[-1]}")
        self.server.close()
        return answers

    def kill_at(self, point):
        """Answers with the point at which it died: `point`, or "timer"."""
        server = self.server
        if point in AT_START:
            died = not server.start(f"{point}:1")
            server.kill()
            return point if died else "timer"
        first = NEEDS_OPEN_PUSH.get(point, point)
        nth = 1 if first != point else self.choice.randint(1, 3)
        if first.startswith("store."):
            nth = self.choice.randint(1, 40)
        if not server.start(f"{first}:{nth}"):
            died = True
        else:
            self.work(first)
            died = server.wait_dead(0.1)
        server.kill()
        if first == point or not died:
            return first if died else "timer"
        died = not server.start(f"{point}:1")
        server.kill()
        return point if died else "timer"

    def work(self, point):
        """Until the server is dead, or for long enough that it ought to be."""
        jobs = [self.push_and_submit, self.push_and_submit]
        if not point.startswith("push."):
            jobs += [self.begin_and_expire]
        if point.startswith(("template.", "blob.")):
            jobs += [self.create]
        give_up = time.monotonic() + 8
        threads = [threading.Thread(
            target=self.repeat, args=(job, index, give_up), daemon=True)
            for index, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        self.server.wait_dead(8)
        self.server.process.kill()
        for thread in threads:
            thread.join()

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
        time.sleep(1.2)

    def create(self, index):
        name = f"made-{next(self.serial)}"
        self.server.assignment(name)
        self.history.assignments.append(name)

    def judge(self):
        """Starts again as an operator's supervisor would, and checks."""
        self.server.start()
        problems = check(self.server.data, self.history)
        if self.server.ready_after > RESTART:
            problems.append(f"19: {self.server.ready_after:.1f} s to serve again")
        # Whoever was cut off simply goes on.
        for candidate in self.candidates:
            candidate.git("fetch", "-q", candidate.url(), "main")
            candidate.git("reset", "-q", "--hard", "FETCH_HEAD")
        self.server.kill()
        return problems


def run(kills, seed):
    """Kills by point; raises SystemExit at the first broken invariant."""
    choice = random.Random(seed)
    points = fault_points()
    hits, slowest, life = collections.Counter(), 0.0, None
    answers = collections.Counter()
    number = -1
    # Each point once, however long that takes; then as many as were asked for.
    while number + 1 < kills or (min(hits[point] for point in points) == 0
                                 and number < 3 * len(points)):
        number += 1
        if number % LIVES == 0:
            if life:
                answers += life.close()
            life = Life(choice)
        # The ones that are behind come first, so that each has its share.
        least = min(hits[point] for point in points)
        behind = [point for point in points if hits[point] == least]
        point = choice.choice(behind if number % 2 or not least else points)
        died_at = life.kill_at(point)
        hits[died_at] += 1
        problems = life.judge()
        slowest = max(slowest, life.server.ready_after)
        if problems:
            print(f"seed {seed}, kill {number + 1} at {point}; kept in "
                  f"{life.server.root}", *problems, sep="\n  ")
            raise SystemExit(1)
        if died_at != point:
            print(f"kill {number + 1}: {point} was not reached in time", flush=True)
        if (number + 1) % 50 == 0:
            print(f"{number + 1} kills, no violation", flush=True)
    answers += life.close()
    return hits, slowest, answers


def record(seed, hits, slowest, answers, took):
    kills = hits.total()
    lines = ["# Faults: what was killed, and what it left", "",
             "Written by `tests/faults/kill_loop.py --kills N --record`; see "
             "[reliability](reliability.md) for the invariants.", "",
             f"- {datetime.date.today()}: {kills} kills in {took / 60:.0f} minutes, "
             f"seed {seed}, **0 violations**",
             f"- {answers['ok']} pushes acknowledged, {answers['refused']} refused, "
             f"{answers['unknown']} cut off",
             f"- slowest restart: {slowest * 1000:.0f} ms (at most {RESTART} s)",
             "", "| killed at | times |", "| --- | --- |"]
    lines += [f"| `{point}` | {hits[point]} |" for point in fault_points()]
    lines += [f"| by a timer, anywhere | {hits['timer']} |", ""]
    (SOURCE / "docs/faults.md").write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    hits, slowest, answers = run(arguments.kills, arguments.seed)
    took = time.monotonic() - began
    missed = [point for point in fault_points() if not hits[point]]
    for point in fault_points():
        print(f"  {hits[point]:5} {point}")
    print(f"  {hits['timer']:5} by a timer")
    print(f"{hits.total()} kills in {took:.0f} s, {answers['ok']} pushes "
          f"acknowledged, {answers['unknown']} cut off, 0 violations, slowest "
          f"restart {slowest * 1000:.0f} ms")
    if arguments.record:
        record(arguments.seed, hits, slowest, answers, took)
    if missed:
        raise SystemExit(f"never killed at: {', '.join(missed)}")


if __name__ == "__main__":
    main()
