#!/usr/bin/env python3
"""Assay's own spans: one trace of a push, and nothing when nobody takes them."""

import http.server
import threading
import time
import unittest
import urllib.request

from installation import TINY_APP, Installation

SERVER = {"app.py": TINY_APP + "# PRIVATE-SOURCE\n"}


def fields(message):
    """Protobuf's (number, value) pairs: bytes or numbers."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, message[at:at + size]
        at += size


def spans_of(export):
    for resource in (v for n, v in fields(export) if n == 1):
        for scope in (v for n, v in fields(resource) if n == 2):
            for span in (v for n, v in fields(scope) if n == 2):
                values = dict(fields(span))
                yield {"trace": values[1].hex(), "id": values[2].hex(),
                       "parent": values.get(4, b"").hex(),
                       "name": values[5].decode(),
                       "start": int.from_bytes(values[7], "little"),
                       "end": int.from_bytes(values[8], "little")}


class Collector:
    """Takes OTLP over HTTP as protobuf; or lets everybody wait."""

    def __init__(self, hangs=False):
        self.bodies, self.answer = [], threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hangs:
                    collector.answer.wait()
                assert self.path == "/v1/traces", self.path
                assert self.headers["Content-Type"] == "application/x-protobuf"
                collector.bodies.append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.answer.set()
        self.server.shutdown()
        self.server.server_close()

    def spans(self):
        return [span for body in list(self.bodies) for span in spans_of(body)]


class TelemetryTest(unittest.TestCase):
    def installation(self, collector):
        self.addCleanup(collector.close)
        assay = Installation(options=["--otlp-endpoint", collector.url])
        self.addCleanup(assay.close)
        return assay

    def push(self, assay):
        assay.assignment("tiny")
        candidate = assay.candidate("tiny", name="Grace Hopper")
        candidate.commit(SERVER, "PRIVATE-MESSAGE")
        said = candidate.push()
        return said, candidate.pushed_run()

    def metric(self, assay, name):
        token = (assay.data / "admin.token").read_text().strip()
        request = urllib.request.Request(
            f"http://{assay.web}/metrics",
            headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        return None

    def test_a_push_is_one_connected_trace(self):
        collector = Collector()
        assay = self.installation(collector)
        said, run = self.push(assay)
        self.assertIn("Details: ", said)
        deadline = time.monotonic() + 20
        names = []
        while "assay.show" not in names and time.monotonic() < deadline:
            time.sleep(0.05)
            names = [span["name"] for span in collector.spans()]
        spans = collector.spans()
        self.assertEqual({span["trace"] for span in spans}, {run["traceId"]})
        wanted = ["assay.grade", "assay.push.receive", "assay.push.land",
                  "assay.queue", "assay.lease", "assay.lease.send",
                  "assay.worker.fetch", "assay.worker.prepare",
                  "assay.worker.spawn", "assay.run", "assay.phase.start",
                  "assay.phase.checks", "assay.verdict", "assay.show"]
        for name in wanted:
            self.assertEqual(names.count(name), 1, (name, names))
        by_id = {span["id"]: span for span in spans}
        self.assertEqual(len(by_id), len(spans))
        roots = [span["name"] for span in spans if not span["parent"]]
        self.assertEqual(roots, ["assay.grade"])
        for span in spans:
            self.assertLessEqual(span["start"], span["end"], span)
            if span["parent"]:
                self.assertIn(span["parent"], by_id, span["name"])
        # In the order in which it happened, by their ends.
        order = ["assay.push.receive", "assay.push.land", "assay.queue",
                 "assay.lease.send", "assay.worker.fetch",
                 "assay.worker.prepare", "assay.worker.spawn",
                 "assay.phase.start", "assay.phase.checks", "assay.verdict",
                 "assay.show"]
        ends = [next(s["end"] for s in spans if s["name"] == n) for n in order]
        self.assertEqual(ends, sorted(ends))
        sent = b"".join(collector.bodies)
        for private in (b"Grace", b"PRIVATE", b"app.py",
                        run["attempt"].split("/")[1].encode()):
            self.assertNotIn(private, sent)
        self.assertEqual(self.metric(
            assay, "assay_telemetry_spans_exported_total"), len(spans))
        self.assertEqual(self.metric(
            assay, "assay_telemetry_spans_dropped_total"), 0)

    def test_a_collector_that_hangs_changes_nothing(self):
        collector = Collector(hangs=True)
        assay = self.installation(collector)
        said, run = self.push(assay)
        self.assertIn("Details: ", said)
        self.assertEqual(run["outcome"], "OUTCOME_COMPLETED")
        self.assertEqual(self.metric(
            assay, "assay_telemetry_spans_exported_total"), 0)
        begin = time.monotonic()
        assay.server.stop()
        self.assertLess(time.monotonic() - begin, 15)


if __name__ == "__main__":
    unittest.main()
