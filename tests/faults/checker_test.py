#!/usr/bin/python3
"""The checker of runs, held against histories that break what it looks for:
each is a good one with one thing changed."""

import hashlib
import re
import sqlite3
import time
import unittest

from messages import CheckResult, Run, RunEvent, Score, plan_pb2
from run_checker import run_problems
from run_history import RunHistory
from server import SOURCE

NOW = 1_800_000_000_000_000


def schema():
    """The product's own tables."""
    text = (SOURCE / "services/storage/migrations/steps.h").read_text()
    for statement in re.findall(r'R"\((.*?)\)",?\n', text, re.S):
        yield statement


PLAN = plan_pb2.Plan()
for name in ("first", "second"):
    PLAN.checks.add(id=name, points=5)
PLAN.limits.run_timeout.seconds = 30
PLAN_BYTES = PLAN.SerializeToString()
DIGEST = hashlib.sha256(PLAN_BYTES).hexdigest()


class MemoryStore:
    """What checker.Store is, without files."""

    def __init__(self):
        self.db = sqlite3.connect(":memory:")
        self.db.row_factory = sqlite3.Row
        for statement in schema():
            self.db.execute(statement)
        self.blobs = {DIGEST: PLAN_BYTES}

    def rows(self, query, *values):
        return self.db.execute(query, values).fetchall()

    def blob(self, digest):
        return self.blobs.get(digest)


def result(check, verdict=1):
    return CheckResult(check_id=check, verdict=verdict, points=5,
                       earned=5 if verdict == 1 else 0)


class GoodHistory:
    """Three runs: one lost once and then finished, one waiting behind it, one
    superseded."""

    def __init__(self):
        self.store, self.history, self.memory = MemoryStore(), RunHistory(), {}
        self.sequence, self.time = {}, {}
        self.add_run("lost", "one", 0, state=3, outcome=1, epoch=2, losses=1,
                     next_offset=7, score=Score(earned=10, max=10))
        self.state("lost", 0, 1, 0)
        self.state("lost", 1, 2, 1)
        self.event("lost", 1, 2, log=RunEvent.Log(stream="build", content=b"ab"))
        self.state("lost", 1, 1, 3)
        self.state("lost", 2, 2, 4)
        self.finish("lost", 2, 5)
        self.add_run("waits", "one", 2, state=1)
        self.state("waits", 0, 1, 2)
        self.add_run("old", "two", 1, state=4, kind=Run.KIND_PUSH)
        self.state("old", 0, 1, 1)
        self.state("old", 0, 4, 2)

    def add_run(self, id, assignment, at, **columns):
        row = dict(id=id, attempt="att", assignment=assignment,
                   assignment_version=1, kind=Run.KIND_FINAL, priority=3,
                   commit_id="c" + id, plan_digest=DIGEST, trace_id="t" * 32,
                   seed=7, push="", submission=1, queue_time=NOW + at * 1_000_000,
                   state=1, outcome=0, outcome_reason="", start_time=None,
                   finish_time=None, epoch=0, worker="", lease_expiry=None,
                   losses=0, next_offset=1, next_sequence=1)
        row.update(columns)
        row["priority"] = 2 if row["kind"] == Run.KIND_PUSH else 3
        if "score" in row:
            row["score"] = row["score"].SerializeToString()
        self.run_sql(f"INSERT INTO runs ({', '.join(row)}) VALUES "
                     f"({', '.join('?' * len(row))})", *row.values())

    def run_sql(self, statement, *values):
        self.store.db.execute(statement, values)

    def event(self, run, epoch, at, **content):
        sequence = self.sequence[run] = self.sequence.get(run, 0) + 1
        event = RunEvent(sequence=sequence, epoch=epoch, **content)
        event.time.FromMicroseconds(NOW + at * 1_000_000)
        self.run_sql("INSERT INTO run_events VALUES (?, ?, ?, ?, ?)", run, sequence,
                     epoch, event.DESCRIPTOR.fields_by_name[
                         event.WhichOneof("event")].number,
                     event.SerializeToString())
        self.run_sql("UPDATE runs SET next_sequence = ? WHERE id = ?",
                     sequence + 1, run)
        return event

    def state(self, run, epoch, state, at):
        self.event(run, epoch, at, state_changed=RunEvent.StateChanged(state=state))

    def check(self, run, epoch, at, check, verdict=1):
        found = result(check, verdict)
        event = self.event(run, epoch, at,
                           check_finished=RunEvent.CheckFinished(result=found))
        self.run_sql("INSERT INTO check_results VALUES (?, ?, ?, ?, ?)", run, epoch,
                     check, event.sequence, found.SerializeToString())

    def finish(self, run, epoch, at):
        self.event(run, epoch, at, log=RunEvent.Log(stream="build", content=b"abc"))
        self.event(run, epoch, at, log=RunEvent.Log(
            stream="build", offset=3, content=b"d", end=True))
        self.check(run, epoch, at, "first")
        self.check(run, epoch, at, "second")
        self.event(run, epoch, at, spans=RunEvent.Spans(dropped=3))
        self.event(run, epoch, at, finished=RunEvent.Finished(outcome=1))
        self.state(run, epoch, 3, at)

    def problems(self):
        return list(run_problems(self.store, self.history, self.memory))


class CheckerTest(unittest.TestCase):
    def setUp(self):
        self.good = GoodHistory()

    def broken(self, number):
        found = self.good.problems()
        self.assertIn(number, [int(problem.split(":")[0]) for problem in found],
                      found)

    def sql(self, statement, *values):
        self.good.run_sql(statement, *values)

    def note(self, kind, **what):
        self.good.history.note(kind, **what)

    def rewrite(self, sequence, change):
        """Changes a stored event of the run that was lost."""
        [row] = self.good.store.rows(
            "SELECT content FROM run_events WHERE run = 'lost' AND sequence = ?",
            sequence)
        event = RunEvent.FromString(row["content"])
        change(event)
        self.sql("UPDATE run_events SET content = ? WHERE run = 'lost' AND "
                 "sequence = ?", event.SerializeToString(), sequence)

    def test_good_history_has_no_problem(self):
        self.note("verdict", run="lost", outcome=1, earned=10)
        self.note("acknowledged", run="lost", epoch=2, worker="b", next_offset=7)
        self.note("leased", run="lost", epoch=1, worker="a")
        self.note("leased", run="lost", epoch=2, worker="b")
        self.note("expected", commit="cold", answer="half")
        self.note("drained", run="lost", epoch=1, losses=1, worker="a")
        self.assertEqual(self.good.problems(), [])
        self.assertEqual(self.good.problems(), [])

    def test_6_two_last_words(self):
        self.good.event("lost", 2, 6, finished=RunEvent.Finished(outcome=1))
        self.broken(6)

    def test_6_two_verdicts_of_one_check(self):
        self.good.event("lost", 2, 6, check_finished=RunEvent.CheckFinished(
            result=result("first", 2)))
        self.broken(6)

    def test_6_a_client_was_told_another_score(self):
        self.note("verdict", run="lost", outcome=1, earned=5)
        self.broken(6)

    def test_7_a_write_under_an_old_epoch(self):
        self.good.event("lost", 1, 6, log=RunEvent.Log(stream="build"))
        self.broken(7)

    def test_7_a_write_after_the_end(self):
        self.good.event("lost", 2, 6, log=RunEvent.Log(stream="x"))
        self.broken(7)

    def test_7_a_refused_write_is_there(self):
        self.note("refused", run="lost", epoch=1, worker="a", marks=["abc"])
        self.broken(7)

    def test_7_a_write_of_another_worker_was_taken(self):
        self.note("leased", run="lost", epoch=2, worker="b")
        self.note("acknowledged", run="lost", epoch=2, worker="a", next_offset=2)
        self.broken(7)

    def test_7_a_refused_worker_keeps_its_cells(self):
        self.note("survived", run="lost", worker="a", cells=2)
        self.broken(7)

    def test_8_two_ends(self):
        self.good.state("lost", 2, 3, 6)
        self.broken(8)

    def test_8_three_losses_and_no_error(self):
        self.sql("UPDATE runs SET losses = 3 WHERE id = 'waits'")
        self.broken(8)

    def test_8_an_errored_run_is_scored(self):
        self.sql("UPDATE runs SET losses = 3, outcome = 7 WHERE id = 'lost'")
        self.broken(8)

    def test_9_a_repeat_is_answered_otherwise(self):
        for digest in "ab":
            self.note("answered", method="Submit", request="r1", digest=digest)
        self.broken(9)

    def test_9_a_repeat_is_done_again(self):
        for number in (1, 2):
            self.sql("INSERT INTO submissions (attempt, number, commit_id, cause, "
                     "submit_time, run, clock_version, assignment_version) VALUES "
                     "('att', ?, 'c', 1, 1, '', 1, 1)", number)
            self.note("asked", attempt="attempts/att", request="r1")
        self.broken(9)

    def test_10_our_failure_is_taken_for_a_verdict(self):
        self.note("expected", commit="clost", answer="unbuilt")
        self.broken(10)

    def test_10_points_that_were_not_deserved(self):
        self.note("expected", commit="clost", answer="half")
        self.broken(10)

    def test_11_a_lease_outlives_its_term(self):
        self.sql("UPDATE runs SET state = 2, lease_expiry = ? WHERE id = 'waits'",
                 int(time.time() * 1e6) - 5_000_000)
        self.broken(11)

    def test_11_a_run_outlives_its_limits(self):
        now = int(time.time() * 1e6)
        self.sql("UPDATE runs SET state = 2, lease_expiry = ?, start_time = ? "
                 "WHERE id = 'waits'", now + 10_000_000, now - 95_000_000)
        self.broken(11)

    def test_12_the_less_urgent_goes_first(self):
        self.sql("UPDATE runs SET priority = 2 WHERE id = 'lost'")
        self.broken(12)

    def test_12_the_younger_goes_first(self):
        self.sql("UPDATE runs SET queue_time = ? WHERE id = 'waits'",
                 NOW - 9_000_000)
        self.broken(12)

    def test_12_the_younger_goes_first_while_the_older_may_not(self):
        self.sql("UPDATE runs SET queue_time = ? WHERE id = 'waits'",
                 NOW - 9_000_000)
        for run in ("first", "second"):
            self.good.add_run(run, "one", -9, state=2, attempt="busy", epoch=1)
            self.good.state(run, 0, 1, -9)
            self.good.state(run, 1, 2, -8)
            self.sql("UPDATE runs SET lease_expiry = ? WHERE id = ?",
                     int(time.time() * 1e6) + 10_000_000, run)
        self.broken(12)
        self.sql("UPDATE runs SET attempt = 'busy', at_once = 2 "
                 "WHERE id = 'waits'")
        self.assertEqual([problem for problem in self.good.problems()
                          if problem.startswith("12:")], [])

    def test_12_more_runs_than_an_attempt_may_have(self):
        for run in ("first", "second"):
            self.good.add_run(run, "two", -9, state=2, attempt="busy", epoch=1,
                              at_once=1)
            self.good.state(run, 0, 1, -9)
            self.good.state(run, 1, 2, -8 if run == "first" else -7)
            self.sql("UPDATE runs SET lease_expiry = ? WHERE id = ?",
                     int(time.time() * 1e6) + 10_000_000, run)
        self.broken(12)

    def test_12_two_pushes_wait(self):
        self.sql("UPDATE runs SET state = 1, kind = 1 WHERE id IN ('old', 'waits')")
        self.broken(12)

    def test_13_a_gap_in_a_stream(self):
        self.rewrite(7, lambda event: setattr(event.log, "offset", 4))
        self.broken(13)

    def test_13_a_stream_without_an_end(self):
        self.rewrite(7, lambda event: setattr(event.log, "end", False))
        self.broken(13)

    def test_13_an_event_is_lost(self):
        self.sql("DELETE FROM run_events WHERE run = 'lost' AND sequence = 3")
        self.broken(13)

    def test_13_an_event_twice(self):
        self.sql("UPDATE runs SET next_offset = 6 WHERE id = 'lost'")
        self.broken(13)

    def seen(self):
        return [[row["sequence"], hashlib.sha256(row["content"]).hexdigest()[:16]]
                for row in self.good.store.rows(
                    "SELECT * FROM run_events WHERE run = 'lost' ORDER BY sequence")]

    def test_14_a_reader_sees_all(self):
        self.note("watched", run="lost", watcher="w", seen=self.seen(), ended=True)
        self.assertEqual(self.good.problems(), [])

    def test_14_a_reader_misses_one(self):
        seen = self.seen()
        del seen[4]
        self.note("watched", run="lost", watcher="w", seen=seen, ended=True)
        self.broken(14)

    def test_14_a_reader_sees_one_twice(self):
        seen = self.seen()
        seen.insert(4, seen[4])
        self.note("watched", run="lost", watcher="w", seen=seen, ended=True)
        self.broken(14)

    def test_14_a_reader_sees_another_content(self):
        seen = self.seen()
        seen[2][1] = "other"
        self.note("watched", run="lost", watcher="w", seen=seen, ended=False)
        self.broken(14)

    def test_14_a_reader_is_sent_away_too_soon(self):
        self.note("watched", run="lost", watcher="w", seen=self.seen()[:-1],
                  ended=True)
        self.broken(14)

    def test_15_a_result_without_its_event(self):
        self.sql("DELETE FROM check_results WHERE check_id = 'second'")
        self.broken(15)

    def test_16_a_slow_reader_holds_up_a_run(self):
        self.note("pace", alone=2.0, crowded=7.0, grown=0)
        self.broken(16)

    def test_16_slow_readers_cost_memory(self):
        self.note("pace", alone=2.0, crowded=2.0, grown=300 << 20)
        self.broken(16)

    def test_17_a_score_that_results_do_not_give(self):
        self.sql("UPDATE runs SET score = ? WHERE id = 'lost'",
                 Score(earned=9, max=10).SerializeToString())
        self.broken(17)

    def test_21_a_lease_that_was_never_granted(self):
        self.sql("UPDATE runs SET epoch = 3 WHERE id = 'lost'")
        self.broken(21)

    def test_21_a_lease_was_given_twice(self):
        for worker in "ab":
            self.note("leased", run="lost", epoch=2, worker=worker)
        self.broken(21)

    def test_22_another_version_is_refused_without_a_word(self):
        self.note("skew", program="store", served=False, named="99", said="no")
        self.broken(22)

    def test_23_what_has_ended_is_edited(self):
        self.assertEqual(self.good.problems(), [])
        self.sql("UPDATE runs SET outcome_reason = 'x' WHERE id = 'old'")
        self.broken(23)

    def test_23_an_event_is_edited(self):
        self.assertEqual(self.good.problems(), [])
        self.rewrite(3, lambda event: setattr(event.log, "content", b"xy"))
        self.broken(23)

    def test_23_a_run_disappears(self):
        self.assertEqual(self.good.problems(), [])
        self.sql("DELETE FROM runs WHERE id = 'waits'")
        self.broken(23)

    def test_23_a_plan_is_gone(self):
        self.good.store.blobs.clear()
        self.broken(23)

    def test_24_a_drained_worker_keeps_a_lease(self):
        self.sql("UPDATE runs SET state = 2, epoch = 1, lease_expiry = ? "
                 "WHERE id = 'waits'", int(time.time() * 1e6) + 10_000_000)
        self.note("drained", run="waits", epoch=1, losses=0, worker="a")
        self.broken(24)

    def test_24_a_drain_counts_as_a_loss(self):
        self.note("drained", run="lost", epoch=1, losses=0, worker="a")
        self.broken(24)

    def test_24_a_draining_worker_is_given_more(self):
        self.note("drained", run="lost", epoch=1, losses=1, worker="a")
        self.good.history.notes["drained"][0]["time"] -= 1
        self.note("leased", run="waits", epoch=1, worker="a")
        self.broken(24)


if __name__ == "__main__":
    unittest.main()
