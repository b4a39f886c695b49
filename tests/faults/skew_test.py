#!/usr/bin/python3
"""Stores and workers of other versions: served, or refused by name. Fixtures
are a store, and what a worker sent in one run, of each version; with --record
the present version's are made anew.

    tests/faults/skew_test.py --record"""

import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import unittest

if "ASSAY_BIN_DIR" not in os.environ:
    top = pathlib.Path(__file__).resolve().parents[2]
    os.environ["ASSAY_SOURCE_DIR"] = str(top)
    os.environ["ASSAY_BIN_DIR"] = str(top / "build/release/bin")

from checker import Store  # noqa: E402
from fake_worker import FakeWorker, Silent  # noqa: E402
from fleet import Fleet, Postgres, answer, wait_for  # noqa: E402
from messages import AttachRequest  # noqa: E402
from reply_proxy import ReplyProxy  # noqa: E402
from run_checker import versions  # noqa: E402
from run_history import RunHistory  # noqa: E402
from server import BIN, SOURCE, Server  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"


# A run that waits, like the one of the fixture.
WAITS = """
CREATE TEMPORARY TABLE waits AS SELECT * FROM runs;
UPDATE waits SET id = 'run_waits', kind = 3, priority = 0, state = 1, outcome = 0,
  outcome_reason = '', start_time = NULL, finish_time = NULL, score = NULL,
  epoch = 0, worker = '', next_offset = 1, next_sequence = 2;
INSERT INTO runs SELECT * FROM waits;
DROP TABLE waits;
"""
FUTURE = "INSERT INTO schema_versions VALUES (99, 'of the future');"


def newest():
    """The schema version that the product knows."""
    text = (SOURCE / "services/storage/migrations/migrations.cc").read_text()
    return max(int(number) for number in re.findall(r'\{(\d+), "\w+", kStep', text))


def stores():
    """The scripts of all recorded ones, the newest last."""
    files = sorted(FIXTURES.glob("store-*.sql"),
                   key=lambda file: int(file.stem.split("-")[1]))
    assert files
    return {file.name: file.read_text() for file in files}


def for_postgres(script):
    """What is a store in SQLite, for PostgreSQL: bytes as it writes them, and
    tables after those that they refer to."""
    script = re.sub(r"([(,])X'([0-9A-F]*)'", r"\1'\\x\2'::bytea", script)
    statements = [each.strip() for each in script.split(";\n")]
    tables = {re.match(r'CREATE TABLE "?(\w+)', each)[1]: each
              for each in statements if each.startswith("CREATE TABLE")}
    made = []
    while len(made) < len(tables):
        made += [name for name, text in tables.items() if name not in made and
                 set(re.findall(r"REFERENCES (\w+)", text)) <= {*made, name}]
    rest = [each for each in statements if each not in tables.values() and
            each not in ("BEGIN TRANSACTION", "COMMIT", "")]
    # Rows come in the order of their tables' names.
    return ";\n".join([*(tables[name] for name in made),
                       "SET LOCAL session_replication_role = replica", *rest])


class Asked:
    """What run_checker asks of."""

    def __init__(self, history):
        self.history = history


class SkewTest(unittest.TestCase):
    def setUp(self):
        self.history = RunHistory()

    def tearDown(self):
        self.assertEqual(list(versions(Asked(self.history))), [])

    def store_of(self, script):
        """A data directory with the store that `script` makes."""
        server = Server()
        self.addCleanup(server.close)
        server.data.mkdir(mode=0o700)
        with sqlite3.connect(server.data / "store.db") as db:
            db.executescript(script)
        db.close()
        server.dsn = None
        return server

    def postgres_of(self, postgres, script):
        """The same in a database of its own."""
        import psycopg2
        server = Server()
        self.addCleanup(server.close)
        name = f"store_{server.root.name.replace('-', '_').lower()}"
        db = psycopg2.connect(postgres.dsn)
        db.autocommit = True
        cursor = db.cursor()
        cursor.execute(f"CREATE DATABASE {name}")
        db.close()
        server.dsn = postgres.dsn.rsplit("/", 1)[0] + "/" + name
        db = psycopg2.connect(server.dsn)
        db.cursor().execute(for_postgres(script))
        db.commit()
        db.close()
        server.options = ["--store", server.dsn]
        return server

    def places(self):
        """What makes a server with a store, for each kind of store."""
        yield self.store_of
        if Postgres.BIN is None:
            return
        postgres = Postgres()
        self.addCleanup(postgres.close)
        yield lambda script: self.postgres_of(postgres, script)

    def test_stores_of_earlier_versions_are_taken_over(self):
        for place in self.places():
            for name, script in stores().items():
                with self.subTest(name):
                    self.taken_over(place(script + WAITS))

    def taken_over(self, server):
        server.start()
        store = Store(server.data, dsn=server.dsn)
        found = store.rows("SELECT MAX(version) AS version FROM schema_versions")
        store.close()
        self.assertEqual(found[0]["version"], newest())
        # Its deadline has passed since: there is a final run as well.
        [run] = [run for run in server.call(
            "RunService/ListRuns", {}, server.admin)["runs"]
            if run["kind"] == "KIND_PUSH"]
        self.assertEqual((run["outcome"], run["score"]["earned"]),
                         ("OUTCOME_COMPLETED", 10))
        self.assertEqual(len(run["checks"]), 2)
        # What waited waits on, where workers are offered it.
        home = server.call("OverviewService/GetHome", {}, server.admin)
        self.assertIn("runs/run_waits", [each["run"] for each in home["queue"]])
        server.assignment("new")
        server.kill()

    def test_a_store_of_a_newer_version_is_refused_and_stays_as_it_is(self):
        *_, script = stores().values()
        for place in self.places():
            server = place(script + FUTURE)
            done = subprocess.run(
                [BIN / "assayd", "--data-dir", server.data, "--grpc-address",
                 "127.0.0.1:0", "--web-address", "127.0.0.1:0", *server.options],
                capture_output=True, text=True, timeout=20)
            self.history.note("skew", program="store", named="99",
                              said=done.stderr, served=done.returncode == 0)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(str(newest()), done.stderr)
            store = Store(server.data, dsn=server.dsn)
            self.assertEqual(len(store.rows("SELECT 1 FROM runs")), 1)
            store.close()

    def test_workers_of_other_versions_are_served(self):
        files = sorted(FIXTURES.glob("worker-*.stream"))
        self.assertTrue(files)
        fleet = Fleet(workers=0).start()
        self.addCleanup(fleet.close)
        fleet.assignment("task")
        for file in files:
            self.replay(fleet, file)

    def replay(self, fleet, file):
        """A run by the words that a worker of that version used, with this
        run's names in them."""
        candidate = fleet.server.candidate("task")
        candidate.start()
        candidate.clone()
        commit = candidate.commit(file.name, files=answer("whole"))
        candidate.push()
        worker = FakeWorker(fleet.server, self.history, file.stem)
        self.addCleanup(worker.leave)
        lease = None
        for message in read_stream(file):
            kind = message.WhichOneof("message")
            if kind == "hello":
                worker.version = message.hello.version + "-recorded"
                worker.attach()
                worker.hear("welcome")
                continue
            if lease is None and kind != "demand":
                try:
                    lease = worker.hear("lease")
                except Silent as silent:
                    self.history.note("skew", program=file.name, said=str(silent),
                                      named=worker.version, served=False)
                    return
            rename(message, lease)
            # A newer one says more than is understood here.
            worker.outbox.put(message.SerializeToString() + b"\xfa\x3f\x01x")
        row = wait_for(lambda: self.finished(fleet, commit), 10, "the run ends")
        self.assertEqual((row["outcome"], row["epoch"]), (1, 1), file)
        self.history.note("skew", program=file.name, said="", named="", served=True)

    def finished(self, fleet, commit):
        store = Store(fleet.server.data)
        rows = store.rows("SELECT * FROM runs WHERE commit_id = ? AND state = 3",
                          commit)
        store.close()
        return rows[0] if rows else None


def rename(message, lease):
    part = getattr(message, message.WhichOneof("message"))
    if hasattr(part, "run"):
        part.run, part.epoch = lease.run, lease.epoch
    for held in getattr(part, "held", ()):
        held.run, held.epoch = lease.run, lease.epoch
    if hasattr(part, "digest"):
        # Recorded: first the plan, then the pack.
        part.digest = {"plan": lease.plan_digest, "pack": lease.pack_digest}[
            part.digest]
    for event in getattr(part, "events", ()):
        event.epoch = lease.epoch


def read_stream(file):
    data, at = file.read_bytes(), 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        yield AttachRequest.FromString(data[at + 4:at + 4 + size])
        at += 4 + size


class Recorder(ReplyProxy):
    """Keeps what a worker sends, and harms nothing."""

    def __init__(self, target):
        super().__init__(target, 0)
        self.quiet, self.sent = True, []

    def pass_on(self, messages, type_of, end):
        for message in messages:
            if type_of is AttachRequest:
                self.sent.append(AttachRequest.FromString(message))
            yield message


def record():
    """By a real worker, over a real run."""
    fleet = Fleet(workers=1, slots=1)
    try:
        # Nobody is to know where it was recorded.
        fleet.server.options += ["--node", "recorded"]
        fleet.server.start()
        proxy = Recorder(fleet.server.grpc)
        fleet.assignment("task")
        fleet.workers[0].address = proxy.address
        fleet.workers[0].start()
        candidate = fleet.server.candidate("task")
        candidate.start()
        candidate.clone()
        commit = candidate.commit("work", files=answer("whole"))
        candidate.push()
        row = wait_for(lambda: SkewTest.finished(None, fleet, commit), 20, "it ends")
        fleet.workers[0].stop()
        FIXTURES.mkdir(exist_ok=True)
        out = bytearray()
        for message in proxy.sent:
            if message.HasField("fetch"):
                message.fetch.digest = ("plan" if message.fetch.digest ==
                                        row["plan_digest"] else "pack")
            data = message.SerializeToString()
            out += len(data).to_bytes(4, "big") + data
        version = newest()
        (FIXTURES / f"worker-{version}.stream").write_bytes(out)
        proxy.close()
        fleet.server.kill()
        with sqlite3.connect(fleet.server.data / "store.db") as db:
            # A start makes new ones where there are none.
            db.execute("DELETE FROM tokens")
            # Where it was served is gone.
            db.execute("DELETE FROM nodes")
            text = "\n".join(db.iterdump())
        (FIXTURES / f"store-{version}.sql").write_text(text + "\n")
    finally:
        fleet.close()


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    else:
        unittest.main()
