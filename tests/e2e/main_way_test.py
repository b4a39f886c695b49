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
        tree = self.assay.run("trace", "show", run["name"]).stdout
        # run > phase > check > request > statement, each deeper than the last.
        depths = []
        for needle in ("checks", "Listing twenty orders", "GET /orders",
                       "select"):
            line = next((l for l in tree.splitlines()
                         if needle.lower() in l.lower()
                         and len(l) - len(l.lstrip("│├└─ ")) > (depths or [-1])[-1]),
                        None)
            self.assertIsNotNone(line, f"no {needle!r} below the last:\n{tree}")
            depths.append(len(line) - len(line.lstrip("│├└─ ")))
        statements = self.assay.run("trace", "show", run["name"], "--sql").stdout
        self.assertIn("insert into orders", statements.lower())

    def test_sound_solution_gets_every_point(self):
        _, _, run = self.grade("sound")
        self.assertEqual(lost(run), [])
        self.assertIn("100 of 100 points",
                      self.assay.run("run", "score", run["name"]).stdout)


if __name__ == "__main__":
    unittest.main()
