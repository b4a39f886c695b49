#!/usr/bin/env python3
"""From a template to a graded submission, with real git and PostgreSQL."""

import http.server
import json
import pathlib
import tempfile
import threading
import unittest

from installation import SAMPLE, Installation, lost, planted


def spans_of(exports):
    """By id, out of OTLP exports in JSON."""
    return {span["spanId"]: span for export in exports
            for resource in export["resourceSpans"]
            for scope in resource["scopeSpans"] for span in scope["spans"]}


class Collector:
    """Takes OTLP over HTTP, as collectors do."""

    def __enter__(self):
        self.taken, self.status = [], 200
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces", self.path
                assert self.headers["Content-Type"] == "application/json"
                if collector.status == 200:
                    collector.taken.append(json.loads(body))
                self.send_response(collector.status)
                self.end_headers()
                self.wfile.write(b"{}" if collector.status == 200 else b"too much")

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()


class MainWayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.assay = Installation()
        cls.addClassCleanup(cls.assay.close)

    def grade(self, solution, meanwhile=lambda name: None):
        """Pushes the solution and lets the deadline submit it."""
        name = f"orders-{solution}"
        self.assay.assignment(name, folder=SAMPLE, duration="25s", grace="0s")
        candidate = self.assay.candidate(name)
        candidate.commit(SAMPLE / "solutions" / solution)
        said = candidate.push()
        meanwhile(name)
        return candidate, said, self.assay.final_run(candidate)

    def test_planted_faults_and_nothing_else_lose_their_points(self):
        # The author's own solution, which has every point or the command fails.
        candidate, said, run = self.grade(
            "faulty", lambda name: self.assay.run("assignment", "reference", name, SAMPLE))

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
        self.check_reference(run)

    def check_reference(self, run):
        """It differs where points were lost, by every check, and counts nowhere."""
        compared = self.assay.json("run", "compare", run["name"], "reference")
        self.assertEqual({check["checkId"] for check in compared["checks"]
                          if not check["same"]}, set(planted("faulty")))
        self.assertEqual(len(compared["checks"]), 10)
        self.assertEqual(compared["there"]["earned"], compared["there"]["max"])
        found = self.assay.json("assignment", "show", run["assignment"].split("/")[1])
        self.assertEqual(found["attemptCount"], 1)

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
        errors = self.assay.run("trace", "show", run["name"], "--errors").stdout
        self.assertIn("few-queries", errors)
        self.assertNotIn("create-order", errors)
        slowest = self.assay.run("trace", "show", run["name"], "--slowest",
                                 "3").stdout.splitlines()
        self.assertEqual(len(slowest), 4, slowest)
        self.check_evidence(run)
        self.check_export(run)

    def check_evidence(self, run):
        """What a check sent and got, and the statements of each request."""
        steps = self.assay.json("trace", "evidence", run["name"], "create-order")
        posts = [exchange for step in steps for exchange in step["exchanges"]
                 if exchange["curl"].startswith("curl -i -X 'POST'")
                 and exchange["curl"].endswith("\"$SERVICE\"'/orders'")]
        self.assertTrue(posts, steps)
        self.assertEqual(posts[0]["status"], "201")
        self.assertIn("content-type: application/json", posts[0]["request"])
        self.assertTrue(any("insert into orders" in one["sql"]
                            for one in posts[0]["statements"]), posts[0])
        text = self.assay.run("trace", "evidence", run["name"], "--failed").stdout
        self.assertIn("failed few-queries, step ", text)
        self.assertNotIn("create-order", text)
        # A burst of fifty, of which one is shown.
        self.assertRegex(text, r"POST /orders  \d\d times, answered 201 after ")
        few = self.assay.run("trace", "evidence", run["name"], "few-queries").stdout
        self.assertRegex(few, r"    select .*  20 times, ")
        curls = self.assay.run("trace", "evidence", run["name"], "create-order",
                               "--curl").stdout.splitlines()
        self.assertIn(posts[0]["curl"], curls)
        wrong = self.assay.run("trace", "evidence", run["name"], "no-such",
                               expect=None)
        self.assertIn('no check "no-such"', wrong.stderr)

    def check_export(self, run):
        """To a file, as lines, and to a collector: the same spans."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "trace.json")
            self.assay.run("trace", "export", run["name"], "--to", str(file))
            spans = spans_of([json.loads(file.read_text(encoding="utf-8"))])
        self.assertGreater(len(spans), 100)
        self.assertEqual(len({span["traceId"] for span in spans.values()}), 1)
        for span in spans.values():
            self.assertRegex(span["traceId"], r"^[0-9a-f]{32}$")
            self.assertLessEqual(int(span["startTimeUnixNano"]),
                                 int(span["endTimeUnixNano"]))
        lines = self.assay.run("trace", "export", run["name"], "--format",
                               "jsonl").stdout.splitlines()
        self.assertEqual(spans_of(map(json.loads, lines)), spans)
        with Collector() as collector:
            self.assay.run("trace", "export", run["name"], "--collector",
                           collector.url)
            self.assertEqual(spans_of(collector.taken), spans)
            collector.status = 413
            refused = self.assay.run("trace", "export", run["name"],
                                     "--collector", collector.url, expect=3)
            self.assertIn("HTTP 413: too much", refused.stderr)

    def test_sound_solution_gets_every_point(self):
        _, _, run = self.grade("sound")
        self.assertEqual(lost(run), [])
        self.assertIn("100 of 100 points",
                      self.assay.run("run", "score", run["name"]).stdout)


if __name__ == "__main__":
    unittest.main()
