#!/usr/bin/env python3
"""The seconds around a deadline: what was received at or before the cut-off
counts, whatever takes how long and whoever dies in between. More of it:

    tests/faults/deadline_test.py --pushes 200 --span 2
"""

import argparse
import datetime
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import unittest

from checker import ACCEPTED, DEADLINE, SUBMITTED, History, Store, check, micros
from server import ENVIRONMENT, Server

SETTINGS = argparse.Namespace(pushes=24, span=1.0, storm=150)


def moment(seconds):
    """`seconds` from now, as (epoch seconds, what the API takes)."""
    when = time.time() + seconds
    text = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    return when, text.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def packet(text):
    data = text.encode()
    return b"%04x" % (len(data) + 4) + data


class RawPush:
    """One push by hand, so that its last byte leaves when it should."""

    def __init__(self, candidate, base, commit, pack):
        self.candidate, self.commit = candidate, commit
        self.body = packet(f"{base} {commit} refs/heads/main\0 report-status "
                           "side-band-64k") + b"0000" + pack
        self.answer, self.receive_time = "unknown", None

    def send_at(self, when):
        import base64
        candidate = self.candidate
        host, port = candidate.server.web.rsplit(":", 1)
        login = base64.b64encode(f"x:{candidate.password}".encode()).decode()
        head = (f"POST /{candidate.path}/git-receive-pack HTTP/1.1\r\n"
                f"Host: {host}\r\nAuthorization: Basic {login}\r\n"
                "Content-Type: application/x-git-receive-pack-request\r\n"
                f"Content-Length: {len(self.body)}\r\n\r\n").encode()
        try:
            with socket.create_connection((host, int(port)), timeout=120) as peer:
                peer.sendall(head + self.body[:-1])
                time.sleep(max(0, when - time.time()))
                peer.sendall(self.body[-1:])
                self.read(peer)
        except OSError:
            pass

    def read(self, peer):
        said = b""
        while b"0000\r\n" not in said[-16:] and b"\r\n0\r\n\r\n" not in said[-16:]:
            more = peer.recv(65536)
            if not more:
                break
            said += more
        text = said.decode(errors="replace")
        times = re.findall(r"[Rr]eceived (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC",
                           text)
        if "ok refs/heads/main" in text and times:
            self.answer, self.receive_time = "ok", times[-1]
        elif "too late: received" in text:
            self.answer, self.receive_time = "refused", times[-1]


def work_of(candidate):
    """A commit on the template, which all share: base, commit, pack."""
    base = candidate.git("rev-parse", "HEAD").stdout.strip()
    commit = candidate.commit("work")
    pack = subprocess.run(
        ["git", "-C", candidate.folder, "pack-objects", "--revs", "--stdout",
         "-q", "--thin"], input=f"{commit}\n^{base}\n".encode(),
        env=ENVIRONMENT, capture_output=True, check=True).stdout
    return base, commit, pack


class DeadlineTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()

    def people(self, count, seconds):
        """So many who share a hard close, some seconds after the last one has
        started: as long as that takes here."""
        self.server.assignment("edge")
        began = time.monotonic()
        people = [self.server.candidate("edge") for _ in range(count)]
        took = time.monotonic() - began
        self.close, text = moment(2 * took + seconds)
        self.server.call("AssignmentService/UpdateAssignment",
                         {"name": "assignments/edge", "expectedVersion": 1,
                          "spec": {"title": "edge", "duration": "3600s",
                                   "hardCloseTime": text}}, self.server.admin)
        for candidate in people:
            candidate.start()
            token = self.server.call("AttemptService/CreateGitToken",
                                     {"name": candidate.attempt}, candidate.token)
            candidate.password = token["password"]
            candidate.path = token["cloneUrl"].split("/", 3)[3]
        return people

    def push_around(self, people, span):
        base, commit, pack = work_of(people[0].clone())
        pushes = [RawPush(person, base, commit, pack) for person in people]
        threads = []
        for i, push in enumerate(pushes):
            when = self.close - span + 2 * span * (i + 0.5) / len(pushes)
            threads.append(threading.Thread(target=push.send_at, args=(when,)))
        for thread in threads:
            thread.start()
        return pushes, threads

    def judge(self, pushes):
        """Accepted = received at or before the cut-off, exactly."""
        history = History()
        for push in pushes:
            history.pushes.append((push.candidate.attempt, push.commit,
                                   push.answer, push.receive_time))
        self.assertEqual(check(self.server.data, history, patience=30), [])
        store = Store(self.server.data)
        self.addCleanup(store.close)
        for push in pushes:
            [attempt] = store.rows("SELECT * FROM attempts WHERE id = ?",
                                   push.candidate.attempt.split("/")[1])
            for row in store.rows("SELECT * FROM pushes WHERE attempt = ?",
                                  attempt["id"]):
                self.assertEqual(
                    row["state"] == ACCEPTED,
                    row["receive_time"] <= attempt["cut_off_time"] and
                    not row["refusal"].startswith("the server stopped"),
                    dict(row))
            if push.answer == "ok":
                self.assertLessEqual(micros(push.receive_time),
                                     attempt["cut_off_time"])
            if push.answer == "refused":
                self.assertGreaterEqual(micros(push.receive_time) + 999,
                                        attempt["cut_off_time"])

    def test_pushes_around_the_cut_off_are_judged_by_their_receive_time(self):
        people = self.people(SETTINGS.pushes, SETTINGS.span + 3)
        pushes, threads = self.push_around(people, SETTINGS.span)
        for thread in threads:
            thread.join()
        answers = [push.answer for push in pushes]
        self.assertNotIn("unknown", answers)
        # On a busy machine the last bytes may all be read late, never early.
        self.assertIn("refused", answers)
        self.judge(pushes)

    def test_the_same_with_a_kill_in_the_middle(self):
        people = self.people(SETTINGS.pushes, SETTINGS.span + 3)
        pushes, threads = self.push_around(people, SETTINGS.span)
        time.sleep(max(0, self.close + 0.2 - time.time()))
        self.server.kill()
        for thread in threads:
            thread.join()
        self.server.start()
        self.assertLess(self.server.ready_after, 10)
        self.judge(pushes)

    def test_a_deadline_that_passed_while_nothing_ran_fires_once(self):
        [candidate] = self.people(1, 4)
        candidate.clone()
        commit = candidate.commit("work")
        answer, _ = candidate.push()
        self.assertEqual(answer, "ok")
        self.server.kill()
        time.sleep(max(0, self.close + 0.2 - time.time()))
        for _ in range(3):
            self.server.start()
            self.assertEqual(check(self.server.data, History()), [])
            self.server.kill()
        store = Store(self.server.data)
        self.addCleanup(store.close)
        [row] = store.rows("SELECT * FROM submissions")
        self.assertEqual((row["commit_id"], row["cause"]), (commit, DEADLINE))

    def test_many_deadlines_at_once(self):
        people = self.people(SETTINGS.storm, 3)
        time.sleep(max(0, self.close - time.time()))
        store = Store(self.server.data)
        self.addCleanup(store.close)
        give_up = time.monotonic() + 30
        frozen = 0
        while frozen < len(people) and time.monotonic() < give_up:
            store.look_again()
            [row] = store.rows("SELECT COUNT(*) AS n FROM attempts WHERE state = ?",
                               SUBMITTED)
            frozen = row["n"]
            time.sleep(0.02)
        self.assertEqual(frozen, len(people))
        self.assertEqual(check(self.server.data, History()), [])


class ClockJumpTest(unittest.TestCase):
    """The server's clock is set, forth and back, while it runs."""

    def setUp(self):
        library = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not library:
            self.skipTest("needs libfaketime: apt-get install libfaketime")
        self.server = Server()
        self.addCleanup(self.server.close)
        self.offset = self.server.root / "offset"
        self.server.environment = {
            "LD_PRELOAD": str(library[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.offset),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1"}
        self.jump("+0")
        self.server.start()

    def jump(self, offset):
        draft = self.offset.with_suffix(".new")
        draft.write_text(offset + "\n")
        draft.rename(self.offset)

    def wait_submitted(self, store, attempt):
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up:
            store.look_again()
            [row] = store.rows("SELECT state FROM attempts WHERE id = ?",
                               attempt.split("/")[1])
            if row["state"] == SUBMITTED:
                return
            time.sleep(0.02)
        self.fail("the deadline has not fired\n" + self.server.tail())

    def test_forth_and_back_fires_once_and_keeps_the_last_push(self):
        self.server.assignment("task", seconds=3000)
        candidate = self.server.candidate("task")
        candidate.start()
        candidate.clone()
        candidate.commit("one")
        self.assertEqual(candidate.push()[0], "ok")
        self.jump("-1h")
        last = candidate.commit("two")
        self.assertEqual(candidate.push()[0], "ok")
        self.jump("+1h")
        store = Store(self.server.data)
        self.addCleanup(store.close)
        self.wait_submitted(store, candidate.attempt)
        for offset in ("-1h", "+1h", "+0", "+2h"):
            self.jump(offset)
            time.sleep(0.3)
        self.server.kill()
        self.server.start()
        [row] = store.rows("SELECT * FROM submissions")
        self.assertEqual(row["commit_id"], last)
        fired = store.rows("SELECT 1 FROM audit_log WHERE action = "
                           "'attempt.deadline'")
        self.assertEqual(len(fired), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name, value in vars(SETTINGS).items():
        parser.add_argument("--" + name, type=type(value), default=value)
    SETTINGS, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
