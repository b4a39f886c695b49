#!/usr/bin/env python3
"""Which worker gets which run: what a worker proves before it gets any, and what
runs say that nobody can take."""

import time
import unittest

from installation import TINY_APP, TINY_SUITE, Installation

class QueueTest(unittest.TestCase):
    def setUp(self):
        self.assay = Installation(worker=False, options=("--push-stay", "1"))
        self.addCleanup(self.assay.close)

    def queue(self):
        return self.assay.json("queue").get("queue", [])

    def worker(self, name):
        for _ in range(100):
            for worker in self.assay.json("worker", "list").get("workers", []):
                if worker["name"] == "workers/" + name:
                    return worker
            time.sleep(0.1)
        self.fail(f"{name} did not attach\n{self.assay.logs()}")

    def test_a_worker_without_working_cells_gets_no_run_and_says_why(self):
        self.assay.start_worker("--name", "broken", "--run", "/bin/false")
        broken = self.worker("broken")
        self.assertEqual(broken["state"], "STATE_QUARANTINED")
        self.assertIn("its own run at its start failed", broken["reason"])
        listed = self.assay.run("worker", "list").stdout
        self.assertIn("set aside", listed)
        self.assertIn("`assay worker resume broken`", listed)
        # Mended and started again, it still waits for a person who looks at it.
        self.assay.worker.stop()
        self.assay.start_worker("--name", "broken")
        self.assertEqual(self.worker("broken")["state"], "STATE_QUARANTINED")
        resumed = self.assay.json("worker", "resume", "broken")
        self.assertEqual(resumed["state"], "STATE_ACTIVE")

    def test_a_run_waits_for_a_worker_of_its_pool_and_says_so(self):
        self.assay.assignment("gpu", suite=TINY_SUITE, worker=(
            "{ pool: gpu, labels: { arch: riscv } }"))
        self.assay.start_worker("--name", "plain")
        ada = self.assay.candidate("gpu")
        ada.commit({"app.py": TINY_APP})
        ada.push()
        waiting, = self.queue()
        self.assertIn("no worker offers pool gpu, arch=riscv", waiting["waitsFor"])
        self.assertIn("pool gpu", self.assay.run("queue").stdout)
        self.assay.worker.stop()
        self.assay.start_worker("--name", "special", "--pool", "gpu",
                                "--label", "arch=riscv", "--label", "disk=ssd")
        run = ada.pushed_run()
        self.assertEqual(run["outcome"], "OUTCOME_COMPLETED")
        special = self.worker("special")
        self.assertEqual(special["pool"], "gpu")
        self.assertEqual(special["labels"], {"arch": "riscv", "disk": "ssd"})

    def test_a_run_that_is_too_large_says_what_it_needs(self):
        self.assay.assignment("large", suite=TINY_SUITE.replace(
            "limits: {", "limits: { cpus: 64,"))
        self.assay.start_worker("--name", "small", "--cores", "2")
        ada = self.assay.candidate("large")
        ada.commit({"app.py": TINY_APP})
        ada.push()
        waiting, = self.queue()
        self.assertIn("it needs 64 processors", waiting["waitsFor"])
        self.assertIn("the largest worker offers 2 processors", waiting["waitsFor"])


if __name__ == "__main__":
    unittest.main()
