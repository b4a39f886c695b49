#!/usr/bin/env python3
"""A candidate with nothing but the invitation's link: over the web port alone,
from the brief to a receipt that is checked without a server. And what authors
do meanwhile."""

import json
import subprocess
import unittest

from installation import (BIN, PATIENCE, TINY_APP, Failure, Installation,
                          environment)


class Person:
    """Somebody at another machine: no data directory, no gRPC port."""

    def __init__(self, assay, name):
        self.home = assay.root / f"home-{name}"
        self.home.mkdir()
        self.work = self.home / "work"

    def run(self, *arguments, expect=0):
        kept = environment(HOME=str(self.home),
                           XDG_CONFIG_HOME=str(self.home / ".config"),
                           XDG_DATA_HOME=str(self.home / "none"))
        done = subprocess.run([BIN / "assay", *map(str, arguments)], env=kept,
                              cwd=self.home, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE)
        if expect is not None and done.returncode != expect:
            raise Failure(f"assay {arguments}: {done.returncode}\n{done.stdout}"
                          f"{done.stderr}")
        return done

    def json(self, *arguments, expect=0):
        return json.loads(self.run(*arguments, "--json", expect=expect).stdout)

    def git(self, *arguments, expect=0, cwd=None):
        done = subprocess.run(["git", *arguments], cwd=cwd or self.work,
                              env=environment(HOME=str(self.home)),
                              capture_output=True, text=True, timeout=PATIENCE)
        if expect is not None and done.returncode != expect:
            raise Failure(f"git {arguments}: {done.returncode}\n{done.stderr}")
        return done


class CandidateWayTest(unittest.TestCase):
    def setUp(self):
        self.assay = Installation(worker=False)
        self.addCleanup(self.assay.close)

    def invite(self, assignment, name="Ada"):
        return self.assay.json("invite", assignment, "--name", name)

    def started(self, assignment, name="Ada"):
        person = Person(self.assay, name)
        person.attempt = person.json(
            "accept", self.invite(assignment, name)["link"])["attempt"]["name"]
        person.run("attempt", "start", "--yes")
        person.run("attempt", "clone", "me", person.work)
        return person

    def test_from_the_link_to_a_receipt_that_needs_no_server(self):
        self.assay.start_worker()
        self.assay.assignment("tiny", ai_policy="Say what you used.")
        ada = Person(self.assay, "ada")
        link = self.invite("tiny")["link"]
        self.assertIn("#", link)
        said = ada.run("accept", link).stdout
        self.assertIn("You have 1h 00m from the start", said)

        brief = ada.run("attempt", "brief").stdout
        self.assertIn("Say what you used.", brief)
        self.assertIn("Nothing records your screen", brief)
        check = ada.json("attempt", "check")["findings"]
        self.assertEqual([(f["check"], f["ok"]) for f in check],
                         [("git", True), ("clock", True), ("clone", True),
                          ("push", True)], check)
        self.assertEqual(ada.json("attempt", "show")["state"], "STATE_ACCEPTED")

        # Nobody is there to be asked, and a clock that runs cannot be stopped.
        self.assertIn("--yes", ada.run("attempt", "start", expect=2).stderr)
        self.assertEqual(ada.json("attempt", "show")["state"], "STATE_ACCEPTED")
        ada.run("attempt", "start", "--yes")
        ada.run("attempt", "clone", "me", ada.work)
        (ada.work / "app.py").write_text(TINY_APP)
        ada.git("add", "-A")
        ada.git("commit", "--quiet", "-m", "Answer")
        self.assertIn("Public checks: 4 of 4 points",
                      ada.git("push", "origin", "HEAD").stderr)
        run = ada.json("attempt", "pushes")["pushes"][0]["run"]
        self.assertEqual(ada.json("run", "show", run, "--mine")["kind"],
                         "KIND_PUSH")
        ada.run("run", "watch", run, "--mine")

        file = ada.home / "receipt.json"
        handed = ada.run("submit", "--statement", "an assistant", "--receipt",
                         file).stdout
        self.assertIn("Receipt:", handed)
        self.assertIn("an assistant", handed)
        key = ada.run("receipt", "key").stdout.strip()
        self.assertEqual(
            self.assay.json("submission", "list",
                            ada.json("attempt", "show")["name"]
                            )["submissions"][0]["aiStatement"], "an assistant")

        self.assay.server.stop()
        ada.run("receipt", "verify", file, "--key", key)
        forged = json.loads(file.read_text())
        forged["statement"] = forged["statement"].replace("tiny", "tidy")
        file.write_text(json.dumps(forged))
        self.assertIn("not genuine", ada.run("receipt", "verify", file, "--key",
                                             key, expect=1).stdout)
        self.assertEqual(ada.run("attempt", "show", expect=4).returncode, 4)

    def test_questions_are_answered_without_a_name_and_the_clock_can_stand(self):
        self.assay.assignment("tiny")
        ada, bo = self.started("tiny", "Ada"), self.started("tiny", "Bo")
        asked = ada.json("question", "ask", "May it be empty?")["name"]
        author = self.assay.json("token", "create", "--role", "author",
                                "--label", "author")["token"]
        seen = self.assay.run("question", "list", "--assignment", "tiny",
                              "--waiting", token=author).stdout
        self.assertIn("May it be empty?", seen)
        self.assertNotIn(ada.attempt.split("/")[1], seen)

        before = ada.json("attempt", "show")["clock"]["deadline"]
        self.assay.run("question", "pause", asked, token=author)
        self.assertIn("paused", ada.run("attempt", "show").stdout)
        self.assay.run("question", "answer", asked, "No: 422.", "--to-all",
                       token=author)
        self.assertIn("No: 422.", bo.run("question", "list", "--attempt",
                                         "me").stdout)
        self.assertGreater(ada.json("attempt", "show")["clock"]["deadline"],
                           before)

    def test_clocks_are_changed_with_reasons_that_the_timeline_keeps(self):
        self.assay.assignment("tiny", duration="1h")
        ada = self.started("tiny")
        assay = self.assay
        assay.run("attempt", "extend", ada.attempt, "--by", "30m", expect=2)
        assay.run("attempt", "extend", ada.attempt, "--by", "30m", "--reason",
                  "power cut")
        assay.run("attempt", "extend", ada.attempt, "--by=-10m", "--reason",
                  "too much")
        assay.run("attempt", "pause", ada.attempt, "--reason", "fire alarm")
        assay.run("attempt", "resume", ada.attempt, "--reason", "it is over")
        assay.run("attempt", "accommodate", ada.attempt, "--factor", "1.5",
                  "--reason", "agreed")
        clock = assay.json("attempt", "show", ada.attempt)["clock"]
        self.assertEqual(clock["extended"], "1200s")
        self.assertEqual(clock["accommodation"], 1.5)
        timeline = assay.run("attempt", "timeline", ada.attempt).stdout
        for reason in ("power cut", "too much", "fire alarm", "it is over",
                       "agreed"):
            self.assertIn(reason, timeline)
        assay.run("attempt", "reopen", ada.attempt, "--by", "1h", "--reason",
                  "x", expect=3)

    def test_many_are_invited_by_a_file_or_nobody_is(self):
        self.assay.assignment("tiny")
        people = self.assay.root / "people.csv"
        people.write_text("name,email\nAda,ada@example.org\nBo,nowhere\n")
        refused = self.assay.run("invite", "tiny", "--csv", people, "--dry-run",
                                 expect=1)
        self.assertIn("people.csv:3:", refused.stderr)
        self.assay.run("invite", "tiny", "--csv", people, expect=1)
        self.assertEqual(self.assay.json("invitation", "list"), {})
        people.write_bytes("name,email\nAda,a@x.org\nJörg,j@x.org\n".encode("latin-1"))
        refused = self.assay.run("invite", "tiny", "--csv", people, expect=2)
        self.assertIn("people.csv:3: found bytes that are no UTF-8", refused.stderr)
        refused = self.assay.run("invite", "tiny", "--name", "J\udcf6rg", expect=2)
        self.assertIn("expected arguments in UTF-8", refused.stderr)
        people.write_text("name,email\nAda,ada@example.org\nBo,bo@example.org\n")
        self.assertIn("2 would be invited",
                      self.assay.run("invite", "tiny", "--csv", people,
                                     "--dry-run").stdout)
        rows = self.assay.json("invite", "tiny", "--csv", people)["rows"]
        self.assertEqual(len(rows), 2)
        # A lost link is made anew; the old one opens nothing.
        fresh = self.assay.json("invitation", "resend",
                                rows[0]["invitation"]["name"], "--yes")["link"]
        ada = Person(self.assay, "ada")
        ada.run("accept", rows[0]["link"], expect=3)
        ada.run("accept", fresh)
        self.assay.run("invitation", "revoke", rows[1]["invitation"]["name"],
                       "--yes")
        Person(self.assay, "bo").run("accept", rows[1]["link"], expect=3)

    def test_a_new_version_reaches_running_attempts_only_when_it_is_meant_to(self):
        # A push waits for its results, so somebody has to grade it.
        self.assay.start_worker()
        self.assay.assignment("tiny")
        ada = self.started("tiny")
        folder = self.assay.root / "assignment-tiny"
        (folder / "template/README.md").write_text("Answer GET / with JSON.\n")
        self.assay.run("assignment", "update", folder, "--id", "tiny")
        self.assertEqual(ada.json("attempt", "show")["assignmentVersion"], 1)
        self.assay.run("assignment", "move", "tiny", "--reason", "x", expect=2)
        self.assay.run("assignment", "move", "tiny", "--reason", "clearer",
                       "--yes")
        self.assertEqual(ada.json("attempt", "show")["assignmentVersion"], 2)

        (ada.work / "app.py").write_text(TINY_APP)
        ada.git("add", "-A")
        ada.git("commit", "--quiet", "-m", "Answer")
        offers = self.assay.json("assignment", "offer", "tiny")["offers"]
        self.assertEqual(offers[0]["branch"], "template-v2")
        self.assertEqual(ada.json("attempt", "show")["templateBranch"],
                         "template-v2")
        ada.git("pull", "--quiet", "--no-rebase", "--no-edit", "origin",
                "template-v2")
        self.assertEqual((ada.work / "README.md").read_text(),
                         "Answer GET / with JSON.\n")
        self.assertTrue((ada.work / "app.py").exists())
        ada.git("push", "origin", "HEAD:main")
        # The scan at a start does not take the offer for a lost push.
        self.assay.server.stop()
        self.assay.start_server()
        self.assertEqual(len(ada.json("attempt", "pushes")["pushes"]), 1)
        self.assertEqual(self.assay.json("assignment", "offer",
                                         "tiny")["offers"], offers)

    def test_those_who_review_may_clone_and_not_push(self):
        self.assay.assignment("tiny")
        ada = self.started("tiny")
        reviewer = self.assay.json("token", "create", "--role", "reviewer",
                                   "--label", "grace")["token"]
        copy = self.assay.root / "reviews" / "copy"
        self.assay.run("attempt", "clone", ada.attempt, copy, token=reviewer)
        self.assertTrue((copy / "README.md").exists())
        ada.git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=copy)
        refused = ada.git("push", "origin", "HEAD", cwd=copy, expect=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(ada.json("attempt", "pushes"), {})

    def test_nothing_is_erased_without_a_yes(self):
        self.assay.assignment("tiny", duration="1s")
        ada = self.started("tiny")
        self.assay.run("run", "list")
        self.wait_until_submitted(ada)
        self.assay.run("decision", "make", ada.attempt, "advance", "--reason",
                       "fine", "--feedback", "Well done.", "--release")
        self.assertIn("Well done.", ada.run("decision", "list").stdout)
        out = self.assay.root / "ada.json"
        self.assay.run("candidate", "export", ada.attempt, "--out", out)
        self.assertIn("Ada", out.read_text())
        erase = ("candidate", "erase", ada.attempt, "--reason", "asked for it")
        self.assay.run(*erase, expect=2)
        self.assertEqual(self.assay.json("attempt", "show",
                                         ada.attempt)["candidateName"], "Ada")
        self.assay.run(*erase, "--yes")
        self.assertNotIn("candidateName",
                         self.assay.json("attempt", "show", ada.attempt))
        kept = self.assay.json("notification", "list")
        self.assertNotIn("Well done.", json.dumps(kept))

    def wait_until_submitted(self, person):
        """`attempt watch` ends by itself when the attempt is submitted."""
        person.run("attempt", "watch")


if __name__ == "__main__":
    unittest.main()
