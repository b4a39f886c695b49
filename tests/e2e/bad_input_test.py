#!/usr/bin/env python3
"""Whatever is wrong gets a message that says what was found, what was expected
and what to do, and what was there stays."""

import time
import unittest

from installation import TINY_APP, TINY_SUITE, Installation, lost


class BadInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.assay = Installation()
        cls.addClassCleanup(cls.assay.close)
        cls.assay.assignment("tiny")

    def graded(self, files):
        candidate = self.assay.candidate("tiny")
        candidate.commit(files)
        said = candidate.push()
        return candidate.pushed_run(), said

    def test_malformed_suite_is_refused_with_places_and_nothing_is_kept(self):
        folder = self.assay.root / "malformed"
        (folder / "template").mkdir(parents=True)
        (folder / "template/a").write_text("")
        (folder / "suite").mkdir()
        (folder / "suite/assay.yaml").write_text(
            TINY_SUITE.replace("expect:", "exepct:").replace("points: 4", "points: x"))
        (folder / "brief.md").write_text("x")
        (folder / "assignment.yaml").write_text("title: x\nduration: 1h\n")
        done = self.assay.run("assignment", "create", folder, "--id", "malformed",
                              expect=2)
        self.assertRegex(done.stderr, r'assay\.yaml:\d+:\d+: error: unknown key '
                                      r'"exepct".*did you mean "expect"')
        self.assertRegex(done.stderr, r"assay\.yaml:\d+:\d+: error: .*points")
        self.assay.run("assignment", "show", "malformed", expect=3)

    def test_template_that_is_not_a_repository_is_named(self):
        folder = self.assay.root / "no-repository"
        (folder / "suite").mkdir(parents=True)
        (folder / "suite/assay.yaml").write_text(TINY_SUITE)
        (folder / "brief.md").write_text("x")
        (folder / "assignment.yaml").write_text(
            f"title: x\nduration: 1h\ntemplate: {{ git: {folder} }}\n")
        done = self.assay.run("assignment", "create", folder, expect=2)
        self.assertIn("expected a git repository", done.stderr)
        self.assertIn(str(folder), done.stderr)

    def test_wrong_token_opens_nothing(self):
        for token in ("asy_wrong", "not even that"):
            done = self.assay.run("assignment", "list", token=token, expect=3)
            self.assertIn("token", done.stderr)
            self.assertNotIn(token, done.stderr)

    def test_candidates_token_opens_its_own_attempt_only(self):
        ada = self.assay.candidate("tiny")
        bob = self.assay.candidate("tiny", "Bob")
        self.assay.run("attempt", "show", bob.attempt, token=ada.token, expect=3)
        self.assay.run("attempt", "list", token=ada.token, expect=3)
        self.assay.run("assignment", "list", token=ada.token, expect=3)

    def test_push_to_another_candidates_repository_is_refused(self):
        ada = self.assay.candidate("tiny")
        bob = self.assay.candidate("tiny", "Bob")
        his = bob.git("remote", "get-url", "origin").stdout.strip()
        password = self.assay.json("attempt", "token", token=ada.token)["password"]
        ada.commit({"app.py": TINY_APP})
        url = his.replace("://", f"://x-token:{password}@")
        refused = ada.git("push", url, "HEAD:refs/heads/main", expect=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertNotIn(password, refused.stderr)
        self.assertEqual(bob.pushes(), [])
        self.assertNotEqual(
            ada.git("ls-remote", url, expect=None).returncode, 0)

    def test_build_that_fails_says_how_and_shows_its_log(self):
        run, said = self.graded({"app.py": TINY_APP, "build.sh":
                                 "echo cannot find frobnicate; exit 3\n"})
        self.assertEqual(run["outcome"], "OUTCOME_BUILD_FAILED")
        self.assertIn("3", run["outcomeReason"])
        self.assertIn("build", said)
        watched = self.assay.run("run", "watch", run["name"], expect=1)
        self.assertIn("build failed", watched.stdout)

    def test_service_that_never_gets_ready_says_what_it_waited_for(self):
        run, _ = self.graded({"app.py": "import time\ntime.sleep(1000)\n"})
        self.assertEqual(run["outcome"], "OUTCOME_NEVER_READY")
        self.assertIn("not ready after 5", run["outcomeReason"])
        self.assertIn("port 8080", run["outcomeReason"])

    def test_service_that_ends_at_once_is_told_from_one_that_is_slow(self):
        run, _ = self.graded({"app.py": "raise SystemExit(41)\n"})
        self.assertIn(run["outcome"],
                      ("OUTCOME_NEVER_READY", "OUTCOME_SERVICE_CRASHED"))
        self.assertIn("41", run["outcomeReason"])

    def test_service_that_crashes_on_a_request_fails_that_check(self):
        crashing = TINY_APP.replace("        body =", """\
        if self.path == "/":
            os._exit(42)
        body =""", 1)
        run, _ = self.graded({"app.py": crashing})
        self.assertEqual(lost(run), ["says-ok"])
        [check] = [c for c in run["checks"] if c["checkId"] == "says-ok"]
        self.assertIn("42", check["reason"])
        self.assertIn("GET /", check["reason"])

    def test_service_that_hangs_costs_the_checks_time_limit_only(self):
        hanging = TINY_APP.replace("        body =", """\
        if self.path == "/":
            import time; time.sleep(1000)
        body =""", 1)
        began = time.monotonic()
        run, _ = self.graded({"app.py": hanging})
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(lost(run), ["says-ok"])
        [check] = [c for c in run["checks"] if c["checkId"] == "says-ok"]
        self.assertIn("5", check["reason"])

    def test_push_after_the_deadline_is_refused_and_changes_nothing(self):
        self.assay.assignment("short", duration="4s", late_policy="reject")
        candidate = self.assay.candidate("short")
        candidate.commit({"app.py": TINY_APP})
        candidate.push()
        before = self.assay.final_run(candidate)
        candidate.commit({"app.py": TINY_APP + "# better\n"})
        refused = candidate.git("push", "origin", "HEAD", expect=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertRegex(refused.stderr, r"too late: received .* the cut-off was")
        submissions = self.assay.json("submission", "list", candidate.attempt)
        self.assertEqual([s["commit"] for s in submissions["submissions"]],
                         [before["commit"]])
        tip = candidate.git("ls-remote", "origin", "HEAD").stdout.split()[0]
        self.assertEqual(tip, before["commit"])

    def test_attempt_without_a_push_is_submitted_as_empty(self):
        self.assay.assignment("silent", duration="1s")
        candidate = self.assay.candidate("silent", start=False)
        self.assay.run("attempt", "start", "--yes", token=candidate.token)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            submissions = self.assay.json(
                "submission", "list", candidate.attempt).get("submissions", [])
            if submissions:
                break
        [submission] = submissions
        self.assertNotIn("commit", submission)
        self.assertNotIn("run", submission)


if __name__ == "__main__":
    unittest.main()
