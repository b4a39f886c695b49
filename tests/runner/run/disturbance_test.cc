// Whole runs whose wires are read and disturbed: database, cache, upstream.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/runner/run/run_fixture.h"

namespace assay::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kService = R"py(
import http.client, json, os, socket, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import psycopg2

def query(sql, args=()):
    c = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=5)
    try:
        c.autocommit = True
        k = c.cursor()
        k.execute(sql, args)
        return k.fetchall()
    finally: c.close()

def charge():
    c = http.client.HTTPConnection("127.0.0.1", 8180, timeout=5)
    c.request("POST", "/charge", json.dumps({"card": os.environ["KEY"]}))
    status = c.getresponse().status
    c.close()
    return status

def redis(*words):
    s = socket.create_connection(("127.0.0.1", 6379), 5)
    s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
    answer = s.recv(1000)
    s.close()
    return answer

memory, number, lock = [], 0, threading.Lock()

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        global number
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            if self.path == "/remember": return self.answer(201, {"id": query("insert into items values (nextval('numbers')) returning id")[0][0]})
            # As fast, and gone with the process.
            with lock: number += 1; memory.append(number)
            self.answer(201, {"id": number})
        except psycopg2.Error as e:
            self.answer(503, str(e))
    def do_GET(self):
        try:
            if self.path == "/memory": return self.answer(200, memory)
            if self.path == "/healthz": return self.answer(200, "ok")
            if self.path == "/search": return self.answer(200, query("select id from big where note = %s", ("n77",)))
            if self.path == "/fetch": return self.answer(200, query("select id from big where id = %s", (77,)))
            if self.path.startswith("/count"): return self.answer(200, query("select count(*) from items")[0][0])
            if self.path == "/charge": return self.answer(charge(), "charged")
            if self.path == "/cache": return self.answer(200, redis("GET", "k").decode())
            if self.path == "/metrics":
                body = b'# TYPE orders counter\norders{state="paid"} 3\norders{state="new"} 4\n'
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                return self.wfile.write(body)
            if self.path == "/report":
                _, trace, parent, _ = self.headers["traceparent"].split("-")
                span = {"traceId": trace, "spanId": "aaaaaaaaaaaaaaaa", "parentSpanId": parent, "name": "handler", "kind": 2,
                        "startTimeUnixNano": "1", "endTimeUnixNano": "2",
                        "attributes": [{"key": "key", "value": {"stringValue": os.environ["KEY"]}}]}
                c = http.client.HTTPConnection("127.0.0.1", 4318, timeout=5)
                c.request("POST", "/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}),
                          {"Content-Type": "application/json"})
                return self.answer(c.getresponse().status, "reported")
            if self.path == "/tell":
                log = {"severityText": "INFO", "body": {"stringValue": "seven orders"}}
                point = {"asInt": "7", "attributes": [{"key": "state", "value": {"stringValue": "paid"}}]}
                for path, body in (("/v1/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}),
                                   ("/v1/metrics", {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "orders.total", "sum": {"dataPoints": [point]}}]}]}]})):
                    c = http.client.HTTPConnection("127.0.0.1", 4318, timeout=5)
                    c.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
                    assert c.getresponse().status == 200
                return self.answer(200, "told")
            if self.path == "/held":
                c = psycopg2.connect(os.environ["DATABASE_URL"])
                k = c.cursor()
                k.execute("select 1")
                status = charge()
                c.commit()
                c.close()
                return self.answer(status, "charged")
        except (psycopg2.Error, OSError, http.client.HTTPException) as e:
            return self.answer(503, str(e))
        self.answer(404, "no such thing")

ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
)py";

constexpr const char* kHead = R"yaml(
version: 1
name: Test
limits: { run: 60s, check: 20s }
service:
  start: { run: exec python3 service.py, env: { DATABASE_URL: "{{sidecars.db.url}}", KEY: "{{secrets.key}}" } }
  ready: { get: /healthz, status: 200, within: 10s }
sidecars:
  db: { kind: postgres, seed: [ seed.sql ] }
  cache: { kind: redis }
upstreams:
  payments: { port: 8180, routes: { "POST /charge": [ { status: 201, json: { id: c1 } }, { status: 202 } ] } }
secrets: { key: { generate: hex32 } }
checks:
)yaml";

class DisturbanceTest : public RunFixture {
 protected:
  // One check of these steps; what it came to.
  Told RunSteps(const std::string& steps) {
    return Run({{"assay.yaml", std::string(kHead) +
                                   "  - id: it\n    title: It\n    points: 1\n"
                                   "    visibility: public\n    steps:\n" +
                                   steps},
                {"seed.sql",
                 "create table items (id int);"
                 "create sequence numbers;"
                 "create table big (id int primary key, note text);"
                 "insert into big select i, 'n' || i from "
                 "generate_series(1, 12000) i;"
                 "grant all on items, big to app;"},
                {"reference/service.py", kService}},
               {{"service.py", kService}});
  }
  static v1::CheckResult::Step LastStep(const Told& told) {
    const auto result = told.Check("it");
    return result.steps_size() == 0 ? v1::CheckResult::Step()
                                    : result.steps(result.steps_size() - 1);
  }
  static std::string Reason(const Told& told) {
    const auto result = told.Check("it");
    if (result.verdict() == v1::VERDICT_PASSED) return "";
    return result.verdict() == v1::VERDICT_UNSPECIFIED
               ? told.finished().reason()
               : result.reason();
  }
};

TEST_F(DisturbanceTest, LatencySlowsStatementsUntilItIsHealed) {
  const Told told = RunSteps(R"yaml(
      - fault: { target: db, latency: 120ms, direction: request }
      - { get: /count, expect: { status: 200 } }
      - trace: { span: SELECT items, duration: { gte: 120ms } }
      - heal: db
      - { get: /count, expect: { status: 200 } }
      - trace: { span: SELECT items, duration: { lt: 120ms } }
)yaml");
  EXPECT_EQ(Reason(told), "");
  const auto spans = told.Spans("latency db");
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_EQ(Attribute(spans[0], "assay.fault.target"), "db");
  EXPECT_GE(spans[0].end_time_unix_nano() - spans[0].start_time_unix_nano(),
            120'000'000u);
}

TEST_F(DisturbanceTest, StatementsAreAnsweredWithTheErrorAndNothingElseBreaks) {
  const Told told = RunSteps(R"yaml(
      - fault: { target: db, error: "53400" }
      - { get: /count, expect: { status: 503, body: { contains: injected } } }
      - trace: { span: SELECT items, status: error, count: 1 }
      - heal: db
      - { get: /count, expect: { status: 200, json: { $: 0 } } }
)yaml");
  EXPECT_EQ(Reason(told), "");
}

TEST_F(DisturbanceTest, ARefusedDatabaseComesBackAfterItsTime) {
  const Told told = RunSteps(R"yaml(
      - fault: { target: db, refuse: true, for: 300ms }
      - { get: /count, expect: { status: 503, body: { contains: refused } } }
      - get: /count
        expect: { status: 200 }
        eventually: { within: 5s, every: 50ms }
)yaml");
  EXPECT_EQ(Reason(told), "");
}

TEST_F(DisturbanceTest, APausedDatabaseAnswersWhenItGoesOn) {
  const Told told = RunSteps(R"yaml(
      - fault: { target: db, pause: true, for: 300ms }
      - { get: /count, expect: { status: 200 } }
      - trace: { span: SELECT items }
)yaml");
  EXPECT_EQ(Reason(told), "");
  EXPECT_THAT(told.Spans("pause db"), SizeIs(1));
}

TEST_F(DisturbanceTest, AKilledDatabaseIsHealed) {
  const Told told = RunSteps(R"yaml(
      - fault: { target: db, kill: SIGKILL }
      - { get: /count, expect: { status: 503 } }
      - heal: db
      - { get: /count, expect: { status: 200 } }
)yaml");
  EXPECT_EQ(Reason(told), "");
}

TEST_F(DisturbanceTest, AFaultEndsWithItsCheck) {
  const Told told = RunSteps(R"yaml(
      - fault: { target: db, refuse: true }
      - { get: /count, expect: { status: 503 } }
  - id: next
    title: Next
    points: 1
    visibility: public
    steps: [ { get: /count, expect: { status: 200 } } ]
)yaml");
  EXPECT_EQ(Reason(told), "");
  EXPECT_EQ(told.Check("next").verdict(), v1::VERDICT_PASSED)
      << told.Check("next").reason();
}

TEST_F(DisturbanceTest, AnUpstreamIsPlayedSeenAndDisturbed) {
  const Told told = RunSteps(R"yaml(
      - { get: /charge, expect: { status: 201 } }
      - { get: /charge, expect: { status: 202 } }
      - trace: { span: POST /charge, attrs: { assay.wire: payments, http.response.status_code: 202 }, count: 1 }
      - fault: { target: payments, error: 502 }
      - { get: /charge, expect: { status: 502 } }
      - heal: payments
      - { get: /charge, expect: { status: 202 } }
      - fault: { target: payments, cut_after: 10B, direction: response }
      - { get: /charge, expect: { status: 503 } }
)yaml");
  EXPECT_EQ(Reason(told), "");
  const auto calls = told.Spans("POST /charge");
  ASSERT_THAT(calls, SizeIs(5));
  EXPECT_THAT(Attribute(calls[0], "assay.http.request"),
              HasSubstr("[secret:key]"));
  EXPECT_THAT(told.Everything(), Not(HasSubstr(SecretOf("key"))));
  EXPECT_EQ(Attribute(calls[0], "assay.correlation"), "exact");
}

TEST_F(DisturbanceTest, ATransactionHeldAcrossACallIsSeen) {
  const Told told = RunSteps(R"yaml(
      - { get: /held, expect: { status: 201 } }
      - trace: { span: POST /charge, attrs: { assay.db.transaction_open: true }, count: 0 }
)yaml");
  EXPECT_THAT(Reason(told), HasSubstr("number of span"));
  const Told fine = RunSteps(R"yaml(
      - { get: /charge, expect: { status: 201 } }
      - trace: { span: POST /charge, attrs: { assay.db.transaction_open: true }, count: 0 }
)yaml");
  EXPECT_EQ(Reason(fine), "");
}

TEST_F(DisturbanceTest, RedisCommandsAreSpansOfTheirRequest) {
  const Told told = RunSteps(R"yaml(
      - { get: /cache, expect: { status: 200 } }
      - trace: { span: GET, attrs: { db.system.name: redis }, count: 1 }
)yaml");
  EXPECT_EQ(Reason(told), "");
}

TEST_F(DisturbanceTest, ReportedSpansJoinTheirRequestAndStayClaims) {
  const Told told = RunSteps(R"yaml(
      - { get: /report, expect: { status: 200 } }
      - trace: { span: handler, source: reported, kind: server }
      - trace: { span: handler, source: tap, count: 0 }
      - logs: { sources: [ stdout, stderr, otlp ], forbid: { secrets: [ key ] } }
)yaml");
  EXPECT_EQ(Reason(told), "");
  EXPECT_THAT(told.Spans("handler"), SizeIs(1));
  const Told leaks = RunSteps(R"yaml(
      - { get: /report, expect: { status: 200 } }
      - logs: { sources: [ span-attributes ], forbid: { secrets: [ key ] } }
)yaml");
  EXPECT_THAT(Reason(leaks), HasSubstr("span-attributes"));
  EXPECT_THAT(leaks.Everything(), Not(HasSubstr(SecretOf("key"))));
}

TEST_F(DisturbanceTest, ReportedLogsAndMetricsAreLookedInto) {
  const Told told = RunSteps(R"yaml(
      - { get: /tell, expect: { status: 200 } }
      - logs: { sources: [ otlp ], require: { matches: "INFO seven orders" } }
      - metrics: { name: orders.total, source: otlp, labels: { state: paid }, value: 7 }
      - metrics: { name: orders.total, source: otlp, labels: { state: new } }
)yaml");
  ASSERT_EQ(told.Check("it").steps_size(), 4) << Reason(told);
  EXPECT_THAT(Reason(told), HasSubstr("expected a metric orders.total"));
}

TEST_F(DisturbanceTest, MetricsAreSummedOverTheirSeries) {
  const Told told = RunSteps(R"yaml(
      - metrics: { name: orders, value: 7 }
      - metrics: { name: orders, labels: { state: paid }, value: { eq: 3 } }
      - metrics: { name: nothing }
)yaml");
  EXPECT_THAT(Reason(told), HasSubstr("expected a metric nothing"));
}

TEST_F(DisturbanceTest, ALoadIsMeasuredFromItsPlan) {
  const Told told = RunSteps(R"yaml(
      - load:
          rate: 50/s
          for: 1s
          connections: 4
          request: { get: /healthz }
          expect: { errors: { lte: 0% }, achieved: { gte: 100% } }
      - fault: { target: payments, error: 500 }
      - load:
          rate: 20/s
          for: 1s
          connections: 4
          request: { get: /charge }
          expect: { errors: { lte: 1% } }
)yaml");
  EXPECT_THAT(Reason(told), HasSubstr("20 × 5xx"));
  // The steps, and in each the measurement.
  EXPECT_THAT(told.Spans("load"), SizeIs(4));
}

TEST_F(DisturbanceTest, TheWiresToAServiceAreDisturbedForWhoeverAsksIt) {
  const Told told = RunSteps(R"yaml(
      - { get: /healthz, expect: { status: 200, within: 90ms } }
      - fault: { target: service, latency: 120ms, direction: response }
      - { get: /count, expect: { status: 200 } }
      - trace: { span: GET /count, duration: { gte: 120ms } }
      - heal: service
      - fault: { target: service, reset: true }
      - { get: /count, expect: { status: 200 } }
      - fault: { target: service, refuse: true, for: 300ms }
      - fault: { target: service, reset: true }
      - get: /count
        expect: { status: 200 }
        eventually: { within: 5s, every: 50ms }
      - fault: { target: service, cut_after: 20B, direction: response }
      - { get: /count, expect: { status: 200 } }
)yaml");
  EXPECT_EQ(told.Check("it").verdict(), v1::VERDICT_FAILED);
  // All but the last, whose answer is cut.
  ASSERT_EQ(told.Check("it").steps_size(), 12) << Reason(told);
  EXPECT_THAT(Reason(told), HasSubstr("GET /count"));
  EXPECT_THAT(told.Spans("latency service"), SizeIs(1));
  EXPECT_GE(told.Spans("try 1").size(), 1u);
  EXPECT_THAT(told.Spans("try 2"), Not(IsEmpty()));
}

TEST_F(DisturbanceTest, WhatWasAcknowledgedBeforeACrashIsThereOrIsMissed) {
  const Told told = RunSteps(R"yaml(
      - restart: service
        traffic: { times: 60, at_once: 6, acknowledged: 20, request: { post: /remember, json: {} } }
        history: { id: $.id, sql: select id from items }
      - { get: /healthz, expect: { status: 200 } }
)yaml");
  EXPECT_EQ(Reason(told), "");
  ASSERT_EQ(told.Check("it").steps_size(), 2);
  EXPECT_THAT(told.Check("it").steps(0).reason(),
              HasSubstr("acknowledged writes are there"));
  // It was up again for the rest of them.
  EXPECT_GE(told.Spans("POST /remember").size(), 60u);

  const Told forgets = RunSteps(R"yaml(
      - restart: service
        traffic: { times: 60, at_once: 6, acknowledged: 20, request: { post: /forget, json: {} } }
        history: { id: $.id, request: { get: /memory }, ids: "$[*]" }
)yaml");
  // Numbers begin anew with the process, so that some seem to be there.
  EXPECT_THAT(Reason(forgets), testing::AnyOf(HasSubstr("are lost"),
                                              HasSubstr("more than once")));
}

TEST_F(DisturbanceTest, ATableThatIsReadFromEndToEndIsAdvice) {
  const Told told = RunSteps(R"yaml(
      - { get: /search, expect: { status: 200 } }
      - trace: { sequential_scans: { over: 10000 } }
)yaml");
  EXPECT_EQ(Reason(told), "");
  EXPECT_THAT(LastStep(told).reason(),
              HasSubstr("advice: select id from big where note = ? reads "
                        "public.big, which has more than 10000 rows"));
}

TEST_F(DisturbanceTest, ScansCountOnlyWhereTheSuiteSaysSoAndTheTableIsLarge) {
  const Told scored = RunSteps(R"yaml(
      - { get: /search, expect: { status: 200 } }
      - trace: { sequential_scans: { over: 20000, enforce: true } }
      - trace: { sequential_scans: { enforce: true } }
)yaml");
  ASSERT_EQ(scored.Check("it").steps_size(), 3) << Reason(scored);
  EXPECT_THAT(Reason(scored), HasSubstr("reads public.big"));
  const Told indexed = RunSteps(R"yaml(
      - { get: /fetch, expect: { status: 200 } }
      - trace: { sequential_scans: { enforce: true } }
)yaml");
  EXPECT_EQ(Reason(indexed), "");
  EXPECT_EQ(LastStep(indexed).reason(), "");
}

// As if the author's machine were twice as fast, and as if it were a thousand
// times as fast.
TEST_F(DisturbanceTest, ALoadIsJudgedByWhatTheReferenceNeedsHere) {
  const std::string load = R"yaml(
      - { get: /count, expect: { status: 200 }, capture: { total: $ } }
      - load:
          rate: 50/s
          for: 400ms
          connections: 4
          request: { get: "/count?{{total}}" }
          expect: { p50: { lte: 1us } }
          partial: { metric: p50, full: 1us, zero: 1h }
          calibrate: { reference: reference/, at: )yaml";
  const Told fast = RunSteps(load + "1us }\n");
  EXPECT_EQ(fast.Check("it").verdict(), v1::VERDICT_INCONCLUSIVE);
  EXPECT_THAT(Reason(fast), HasSubstr("could not be calibrated: the reference "
                                      "needs "));
  const Told told = RunSteps(load + "1h }\n");
  EXPECT_EQ(told.Check("it").verdict(), v1::VERDICT_FAILED);
  EXPECT_THAT(Reason(told), HasSubstr("judged as on a machine 0.10 times"));
  EXPECT_GT(told.Check("it").earned(), 0) << "the load says how points fall";
  EXPECT_THAT(told.Spans("calibrate"), SizeIs(1));
  // The step and its measurement: what was sent to the reference is not told.
  EXPECT_THAT(told.Spans("load"), SizeIs(2));
}

}  // namespace
}  // namespace assay::tests
