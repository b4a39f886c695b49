#!/usr/bin/env python3
"""kill -9 of assayd in the middle of a run: after a restart the push and the
submission are there and the run finishes."""

import subprocess
import unittest

from installation import (BIN, PATIENCE, TINY_APP, TINY_SUITE, Installation,
                          environment, lost)

# Long enough to be killed in the middle of; says when it is there.
SLOW_SUITE = TINY_SUITE.replace(
    "      - { get: /again, expect: { status: 200 } }",
    "      - wait: 4s\n      - { get: /again, expect: { status: 200 } }")


class RestartTest(unittest.TestCase):
    def setUp(self):
        self.assay = Installation()
        self.addCleanup(self.assay.close)
        self.assay.assignment("slow", suite=SLOW_SUITE)
        self.candidate = self.assay.candidate("slow")
        self.candidate.commit({"app.py": TINY_APP})

    def watch_until_first_check(self, run):
        """Follows the run until its first check ended: the second waits."""
        watch = subprocess.Popen(
            [BIN / "assay", "--data-dir", self.assay.data, "run", "watch", run,
             "--json"], env=environment(ASSAY_SERVER=self.assay.grpc),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.stderr.close)
        for line in watch.stdout:
            if '"checkFinished"' in line or '"checks"' in line:
                return watch
        self.fail("the run ended before its first check:\n" + self.assay.logs())

    def test_killed_server_loses_nothing(self):
        self.candidate.push()
        submitted = self.assay.json("submit", token=self.candidate.token)
        watch = self.watch_until_first_check(submitted["run"])

        self.assay.server.kill()
        self.assay.start_server()

        self.assertEqual(watch.wait(PATIENCE), 0, watch.stderr.read())
        run = self.assay.json("run", "show", submitted["run"])
        self.assertEqual(run["outcome"], "OUTCOME_COMPLETED")
        self.assertEqual(lost(run), [])
        self.assertEqual(len(run["checks"]), 2)
        [push] = self.candidate.pushes()
        self.assertEqual(push["newCommit"], submitted["commit"])
        listed = self.assay.json("submission", "list", self.candidate.attempt)
        self.assertEqual([s["name"] for s in listed["submissions"]],
                         [submitted["name"]])

    def test_killed_worker_is_replaced_and_the_run_finishes(self):
        self.candidate.push()
        submitted = self.assay.json("submit", token=self.candidate.token)
        watch = self.watch_until_first_check(submitted["run"])

        self.assay.worker.kill()
        self.assay.start_worker()

        self.assertEqual(watch.wait(PATIENCE), 0, watch.stderr.read())
        run = self.assay.json("run", "show", submitted["run"])
        self.assertEqual(lost(run), [])
        self.assertGreater(int(run["epoch"]), 1)


if __name__ == "__main__":
    unittest.main()
