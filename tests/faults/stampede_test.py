#!/usr/bin/python3
"""Everybody at once: pushes of as many candidates, 50 in each second, and fifty
workers that arrive meanwhile. `ASSAY_FAULT_PUSHES` says how many (500 in the
long run, in 10 s)."""

import os
import threading
import time
import unittest

from checker import Store, problems_of
from crowd import each
from deadline_test import RawPush, work_of
from fake_worker import FakeWorker, Silent
from fleet import wait_for
from workers_test import Installation

PUSHES = int(os.environ.get("ASSAY_FAULT_PUSHES", "60"))
A_SECOND = 50
WORKERS = 50


class StampedeTest(Installation):
    def problems(self):
        store = Store(self.server.data, dsn=self.fleet.dsn)
        try:
            return [*problems_of(store, self.history, untouched=False),
                    *super().problems()]
        finally:
            store.close()

    def gather(self):
        people, lock = [], threading.Lock()

        def begin(api, _):
            person = api.accept("task")
            api.start(person)
            api.git_token(person)
            person.server, person.path = self.server, person.path.lstrip("/")
            with lock:
                people.append(person)

        each(self.server, range(PUSHES), begin)
        return people

    def execute(self, worker, stopped):
        try:
            worker.attach()
            worker.demand()
            while not stopped.is_set():
                try:
                    worker.execute(worker.hear("lease", 1), 30)
                    worker.demand()
                except Silent:
                    if worker.error:
                        raise
                worker.beat()
        except Silent:
            pass

    def test_everybody_is_served(self):
        people = self.gather()
        one = self.server.candidate("task")
        one.start()
        base, commit, pack = work_of(one.clone())
        pushes = [RawPush(person, base, commit, pack) for person in people]
        began, stopped = time.time() + 0.5, threading.Event()
        crowd = [FakeWorker(self.server, self.history, f"w{i}")
                 for i in range(WORKERS)]
        threads = [threading.Thread(target=push.send_at, args=(
            began + index / A_SECOND,)) for index, push in enumerate(pushes)]
        working = [threading.Thread(target=self.execute, args=(worker, stopped))
                   for worker in crowd]
        for thread in [*threads, *working]:
            thread.start()
        for thread in threads:
            thread.join()
        pushed = time.time() - began
        for push in pushes:
            self.history.pushes.append((push.candidate.attempt, push.commit,
                                        push.answer, push.receive_time))
        wait_for(lambda: not self.rows("SELECT 1 FROM runs WHERE state IN (1, 2)"),
                 60, "every run ends")
        print(f"\n{PUSHES} pushes at {A_SECOND} a second answered after "
              f"{pushed:.1f} s, every run ended after {time.time() - began:.1f} s")
        stopped.set()
        for thread in working:
            thread.join()
        for worker in crowd:
            self.assertIsNone(worker.error)
            worker.leave()
        self.assertEqual({push.answer for push in pushes}, {"ok"})
        rows = self.rows("SELECT epoch, outcome FROM runs")
        self.assertEqual({(row["epoch"], row["outcome"]) for row in rows}, {(1, 1)})
        self.assertEqual(len(rows), PUSHES)


if __name__ == "__main__":
    unittest.main()
