#!/usr/bin/env python3
"""From a template to a graded submission, with real git and PostgreSQL."""

import unittest

from installation import SAMPLE, Installation, lost, planted


class MainWayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.assay = Installation()
        cls.addClassCleanup(cls.assay.close)

    def grade(self, solution):
        """Pushes the solution and lets the deadline submit it."""
        name = f"orders-{solution}"
        self.assay.assignment(name, folder=SAMPLE, duration="25s", grace="0s")
        candidate = self.assay.candidate(name)
        candidate.commit(SAMPLE / "solutions" / solution)
        said = candidate.push()
        return candidate, said, self.assay.final_run(candidate)

    def test_planted_faults_and_nothing_else_lose_their_points(self):
        candidate, said, run = self.grade("faulty")

        # The public checks came back on the push, the hidden ones did not.
        self.assertIn("remote:", said)
        self.assertIn("Creating an order returns it and stores it", said)
        self.assertNotIn("Fifty buyers", said)
        self.assertIn("Public checks: 34 of 34 points", said)

        self.assertEqual(run["outcome"], "OUTCOME_COMPLETED", run)
        self.assertEqual(lost(run), planted("faulty"))
        self.assertEqual(len(run["checks"]), 10)
        for check in run["checks"]:
            if check["checkId"] in planted("faulty"):
                self.assertTrue(check.get("reason"), check)
        score = self.assay.run("run", "score", run["name"], expect=1).stdout
        self.assertIn("75 of 100 points", score)

        submissions = self.assay.json("submission", "list", candidate.attempt)
        [submission] = submissions["submissions"]
        self.assertEqual(submission["cause"], "CAUSE_DEADLINE")
        self.assertEqual(submission["commit"], candidate.pushes()[-1]["newCommit"])
        self.check_trace(run)

    def check_trace(self, run):
        """run > phase > check > step > request > statement."""
        tree = self.assay.run("trace", "show", run["name"]).stdout.splitlines()

        def depth(line):
            return len(line) - len(line.lstrip("│├└─ "))

        at = -1
        for needle in ("run ", "checks ", "few-queries ", "GET /orders ",
                       "GET /orders ", "select "):
            deeper = [i for i, line in enumerate(tree)
                      if i > at and (at < 0 or depth(line) > depth(tree[at]))
                      and line.lstrip("│├└─ ").startswith(needle)]
            self.assertTrue(deeper, f"no {needle!r} below line {at}:\n"
                            + "\n".join(tree))
            at = deeper[0]
        # The planted N+1: one statement for each of the twenty orders.
        few = self.assay.run("trace", "show", run["name"], "--check",
                             "few-queries").stdout
        self.assertRegex(few, r"select .*× 20 ")
        statements = self.assay.run("trace", "show", run["name"], "--sql").stdout
        self.assertIn("insert into orders", statements)

    def test_sound_solution_gets_every_point(self):
        _, _, run = self.grade("sound")
        self.assertEqual(lost(run), [])
        self.assertIn("100 of 100 points",
                      self.assay.run("run", "score", run["name"]).stdout)


if __name__ == "__main__":
    unittest.main()
