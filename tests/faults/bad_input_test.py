#!/usr/bin/python3
"""What an operator gets wrong, or what goes wrong around a server: each is named
in one line that says what to do, and nothing acknowledged is lost."""

import pathlib
import subprocess
import tempfile
import unittest

from fake_worker import FakeWorker, Silent
from fleet import Fleet, Postgres, answer, wait_for
from run_history import RunHistory
from server import BIN, ENVIRONMENT, Refused, Server


class StoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def sql(self, statement, database="assay"):
        subprocess.run(
            [Postgres.BIN / "psql", "-h", self.postgres.listens, "-p",
             str(self.postgres.port), "-U", "postgres", "-d", database, "-qAtc",
             statement], check=True, stdout=subprocess.DEVNULL,
            **self.postgres.as_user())

    def at(self, role, database):
        return f"postgres://{role}@127.0.0.1:{self.postgres.port}/{database}"

    def refusal(self, dsn, **environment):
        """The one line in which a start is refused."""
        with tempfile.TemporaryDirectory() as data:
            done = subprocess.run(
                [BIN / "assayd", "--data-dir", data, "--store", dsn,
                 "--grpc-address", "127.0.0.1:0", "--web-address",
                 "127.0.0.1:0"], env=dict(ENVIRONMENT, **environment),
                capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        [line] = done.stderr.splitlines()
        return line

    def test_each_wrong_address_of_a_store_says_what_to_do(self):
        self.sql("CREATE DATABASE taken")
        self.sql("CREATE TABLE runs (id INT)", "taken")
        self.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "taken")
        self.sql("CREATE DATABASE fixed")
        self.sql("ALTER DATABASE fixed SET default_transaction_read_only = on")
        self.sql("CREATE ROLE weak LOGIN")
        for dsn, expected in (
                ("mysql://db/assay", "expected postgres://user@host:port/database"),
                ("postgres://db/assay?nonsense=1", 'parameter: "nonsense"; expected'),
                ("postgres://u@127.0.0.1:1/assay", "refused.*that the server runs"),
                ("postgres://u@nowhere.invalid/assay",
                 '"nowhere.invalid".*check --store'),
                (self.at("postgres", "nope"), '"nope" does not exist; make it'),
                (self.at("nobody", "assay"), '"nobody" does not exist; make it'),
                (self.at("weak", "taken"), "permission denied.*GRANT"),
                (self.at("postgres", "taken"), "not Assay's: name a database"),
                (self.at("postgres", "fixed"), "read-only; .*name the primary")):
            with self.subTest(dsn):
                self.assertRegex(self.refusal(dsn), expected)

    def test_a_wrong_password_is_told_from_none_and_not_repeated(self):
        rules = self.postgres.root / "data/pg_hba.conf"
        before = rules.read_text()
        self.addCleanup(self.sql, "SELECT pg_reload_conf()")
        self.addCleanup(rules.write_text, before)
        self.sql("CREATE ROLE locked LOGIN PASSWORD 'right'")
        rules.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + before)
        self.sql("SELECT pg_reload_conf()")
        dsn = self.at("locked", "assay")
        self.assertRegex(wait_for(lambda: "supplied" in (line := self.refusal(dsn))
                                  and line, 10, "the rule is in force"),
                         "no password supplied; give the role's.*PGPASSWORD")
        line = self.refusal(dsn, PGPASSWORD="wr0ng")
        self.assertRegex(line, "authentication failed.*PGPASSWORD")
        self.assertNotIn("wr0ng", line)

    def test_a_schema_of_a_newer_version_is_left_as_it_is(self):
        server = Server(options=["--store", self.at("postgres", "assay")])
        self.addCleanup(server.close)
        server.start()
        server.assignment("task")
        server.stop()
        self.sql("INSERT INTO schema_versions VALUES (99, 'of the future')")
        self.assertRegex(self.refusal(self.at("postgres", "assay")),
                         "version 99, this Assay knows up to [0-9]+: .*start that")
        self.sql("DELETE FROM schema_versions WHERE version = 99")
        server.start()
        self.assertTrue(server.call("AssignmentService/GetAssignment",
                                    {"name": "assignments/task"}, server.admin))

    def test_a_store_that_goes_away_is_named_and_keeps_what_it_said_ok_to(self):
        self.sql("CREATE DATABASE away")
        server = Server(options=["--store", self.at("postgres", "away")])
        self.addCleanup(server.close)
        server.start()
        server.assignment("task")
        candidate = server.candidate("task")
        candidate.start()
        candidate.clone()
        kept = candidate.commit("kept")
        self.assertEqual(candidate.push()[0], "ok")
        self.postgres.kill()
        lost = candidate.commit("lost")
        said, more = candidate.push()
        self.assertNotEqual(said, "ok", more)
        with self.assertRaises(Refused) as refused:
            server.call("RunService/ListRuns", {}, server.admin)
        self.assertRegex(str(refused.exception), "store .*(reached|written)")
        self.postgres.start()
        wait_for(lambda: candidate.push()[0] == "ok", 20, "it takes pushes again")
        pushes = server.call("AttemptService/ListPushes",
                             {"attempt": candidate.attempt}, server.admin)["pushes"]
        accepted = {p["newCommit"] for p in pushes if "ACCEPTED" in p["state"]}
        self.assertEqual(accepted, {kept, lost})


class WorkerTest(unittest.TestCase):
    def start(self):
        self.fleet = Fleet(workers=1, slots=1)
        self.addCleanup(self.fleet.close)
        self.server = self.fleet.server
        self.server.start()
        self.fleet.assignment("task")
        self.candidate = self.server.candidate("task")
        self.candidate.start()
        self.candidate.clone()

    def ends_well(self):
        commit = self.candidate.commit("work", files=answer("whole"))
        self.assertEqual(self.candidate.push()[0], "ok")

        def outcome():
            runs = self.server.call("RunService/ListRuns", {}, self.server.admin)
            return [r["outcome"] for r in runs.get("runs", [])
                    if r["commit"] == commit and r["state"] == "STATE_FINISHED"]
        self.assertEqual(wait_for(outcome, 30, "the run ends"),
                         ["OUTCOME_COMPLETED"])

    def listed(self):
        return self.server.call("WorkerService/ListWorkers", {},
                                self.server.admin)["workers"]

    def test_a_worker_of_a_version_that_does_not_fit_is_sent_away(self):
        self.start()
        for version in ("99.0.0", "0.99.0"):
            stranger = FakeWorker(self.server, RunHistory(), "stranger",
                                  version=version)
            with self.assertRaises(Silent) as refused:
                stranger.attach().hear("welcome")
            self.assertIn("FAILED_PRECONDITION", str(refused.exception))
            self.assertRegex(stranger.error.details(),
                             f"version {version} and the coordinator is version "
                             ".*: install the coordinator's version$")
        # It got nothing, and nobody else noticed.
        self.fleet.workers[0].start()
        self.ends_well()

    def test_a_worker_whose_clock_is_off_is_named_on_both_sides(self):
        libraries = list(pathlib.Path("/usr/lib").glob(
            "*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            self.skipTest("needs libfaketime: apt-get install libfaketime")
        self.start()
        worker = self.fleet.workers[0]
        worker.prefix = ["env", f"LD_PRELOAD={libraries[0]}", "FAKETIME=+7s",
                         "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        worker.start()
        log = (self.server.root / f"{worker.name}.log").read_text()
        self.assertRegex(log, r"clock is [67]\.\d s ahead of the coordinator's"
                              ".*NTP")
        wait_for(lambda: self.listed()[0].get("clockAhead"), 10, "it is shown")
        self.assertRegex(self.server.tail(),
                         r"its clock is [67]\.\d s ahead of ours.*NTP")
        self.ends_well()


if __name__ == "__main__":
    unittest.main()
