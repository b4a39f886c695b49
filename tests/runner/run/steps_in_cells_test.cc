// Steps on connections and sidecars in real cells, and what the confined
// assay-run lets their libraries do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/runner/run/run_fixture.h"

namespace assay::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

// HTTP, a WebSocket that echoes, and events; says goodbye when asked to stop.
constexpr const char* kService = R"py(
import base64, hashlib, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
def stop(*a):
    print("writing what is left", flush=True)
    time.sleep(0.2)
    print("stopped gently", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
seen = set()
lock = threading.Lock()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        name = self.rfile.read(size).decode()
        with lock:
            fresh = name not in seen
            seen.add(name)
        self.answer(201 if fresh else 409, '{"name": "%s"}' % name)
    def do_GET(self):
        if self.path == "/ws":
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
            self.end_headers()
            head = self.rfile.read(2)
            size = head[1] & 127
            mask = self.rfile.read(4)
            text = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))
            self.wfile.write(bytes([0x81, size]) + text)
            self.wfile.write(bytes([0x88, 2, 0x03, 0xe8]))
            self.wfile.flush()
            self.close_connection = True
        elif self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b"event: tick\ndata: 1\n\n")
            self.close_connection = True
        else:
            self.answer(200, "ok")
ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
)py";

constexpr const char* kHead = R"yaml(
version: 1
name: Steps
service:
  start: exec python3 service.py
  ready: { get: /, status: 200, within: 10s }
sidecars: { cache: { kind: redis, reset: per-check } }
checks:
)yaml";

class StepsInCellsTest : public RunFixture {
 protected:
  Told RunChecks(const std::string& checks) {
    return Run({{"assay.yaml", kHead + checks}}, {{"service.py", kService}});
  }
  static void ExpectPassed(const Told& told, const std::string& id) {
    EXPECT_EQ(told.Check(id).verdict(), v1::VERDICT_PASSED)
        << told.Check(id).reason() << told.finished().reason();
  }
};

TEST_F(StepsInCellsTest, ConnectionsThatLastAndRedis) {
  const Told told = RunChecks(R"yaml(
  - id: socket
    title: Socket
    points: 1
    visibility: public
    steps: [ { websocket: /ws, exchange: [ { send: hello }, { expect: { body: hello } }, { close: 1000 } ] } ]
  - id: events
    title: Events
    points: 1
    visibility: public
    steps: [ { events: /events, exchange: [ { event: tick, expect: { body: "1" } } ] } ]
  - id: redis
    title: Redis
    points: 1
    visibility: public
    steps:
      - { redis: [ SET, "a b", "{{number}}" ], expect: OK }
      - { redis: [ GET, "a b" ], expect: { matches: "^[0-9]+$" }, capture: { seen: $ } }
      - { redis: [ GET, "a b" ], expect: "{{seen}}" }
      - { redis: "EXISTS nothing", expect: 0 }
      - { redis: "GET nothing", expect: { exists: false } }
  - id: reset
    title: Reset
    points: 1
    visibility: public
    steps: [ { redis: [ GET, "a b" ], expect: { exists: false } } ]
  - id: refused
    title: Refused
    points: 1
    visibility: public
    steps: [ { redis: "LPUSH", expect: 1 } ]
)yaml");
  for (const char* id : {"socket", "events", "redis", "reset"}) {
    ExpectPassed(told, id);
  }
  EXPECT_THAT(told.Check("refused").reason(),
              HasSubstr("Redis refused the command: ERR wrong number"));
}

TEST_F(StepsInCellsTest, BurstsOfSeveralStepsKeepTheirNamesApart) {
  const Told told = RunChecks(R"yaml(
  - id: apart
    title: Apart
    points: 1
    visibility: public
    steps:
      - burst:
          times: 12
          at_once: 6
          steps:
            - { post: /, text: "{{uuid}}", expect: { status: 201 }, capture: { name: $.name } }
            - { wait: 5ms }
            - { post: /, text: "{{name}}" }
          expect: { statuses: { 409: 12 }, distinct: $.name }
  - id: wrong
    title: Wrong
    points: 1
    visibility: public
    steps:
      - burst:
          times: 4
          steps: [ { get: / }, { post: /, text: same, expect: { status: 201 } } ]
)yaml");
  ExpectPassed(told, "apart");
  EXPECT_EQ(told.Check("wrong").verdict(), v1::VERDICT_FAILED);
  EXPECT_THAT(told.Check("wrong").reason(),
              HasSubstr("expected status 201, got 409"));
}

// This one waits without limit for the next request of the connection that it
// has: one that the readiness probe left open would keep every check out.
TEST_F(StepsInCellsTest, ServicesMayTakeOneConnectionAtATime) {
  const Told told = Run({{"assay.yaml", R"yaml(
version: 1
name: One at a time
service:
  start: exec python3 -S -E service.py
  ready: { get: /, status: 200, within: 10s }
checks:
  - { id: a, title: A, points: 1, visibility: public, steps: [ { get: /, timeout: 3s, expect: { status: 200 } } ] }
  - { id: b, title: B, points: 1, visibility: public, steps: [ { get: /, timeout: 3s, expect: { status: 200 } } ] }
)yaml"}},
                        {{"service.py", R"py(
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8080))
s.listen()
while True:
    c, _ = s.accept()
    while c.recv(4096):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    c.close()
)py"}});
  ExpectPassed(told, "a");
  ExpectPassed(told, "b");
}

TEST_F(StepsInCellsTest, ServicesAreAskedToStop) {
  const Told told = RunChecks(R"yaml(
  - { id: a, title: A, points: 1, visibility: public, steps: [ { get: /, expect: { status: 200 } } ] }
)yaml");
  ExpectPassed(told, "a");
  EXPECT_THAT(told.Log("service"), HasSubstr("stopped gently"));
}

TEST_F(StepsInCellsTest, OneThatDoesNotStopIsStopped) {
  const Told told = Run({{"assay.yaml", R"yaml(
version: 1
name: Stubborn
service:
  start: "trap 'echo no' TERM; touch up; while :; do sleep 0.1; done"
  ready: { within: 300ms }
  stop_grace: 300ms
checks:
  - { id: a, title: A, points: 1, visibility: public, steps: [ { get: / } ] }
)yaml"}},
                        {{"x", ""}});
  EXPECT_THAT(told.Log("service"), HasSubstr("no"));
  EXPECT_LT(told.took.count(), 4'000);
}

TEST_F(StepsInCellsTest, WhatAServiceSaysOfItselfMovesNoScore) {
  // Frames of assay-run's own, reports, and an exit code of success.
  v1::RunEvent claim;
  auto& result = *claim.mutable_check_finished()->mutable_result();
  result.set_check_id("a");
  result.set_verdict(v1::VERDICT_PASSED);
  result.set_earned(1);
  const std::string frame = claim.SerializeAsString();
  std::string octal;
  for (const unsigned char c :
       std::string(1, static_cast<char>(frame.size())) + frame) {
    char text[8];
    std::snprintf(text, sizeof text, "\\%03o", c);
    octal += text;
  }
  const Told told =
      Run({{"assay.yaml", R"yaml(
version: 1
name: Liar
service: { start: ./lie, ready: { get: /, within: 2s } }
checks:
  - { id: a, title: A, points: 1, visibility: public, steps: [ { get: /, expect: { status: 200 } } ] }
)yaml"}},
          {{"lie", "#!/bin/sh\nprintf '" + octal + "'\nprintf '" + octal +
                       "' >&2\necho 1..1; echo ok 1\nmkdir -p build\n"
                       "echo '<testsuite tests=\"1\"><testcase name=\"a\"/>"
                       "</testsuite>' > build/report.xml\n"
                       "for fd in 3 4 5 6 7 8 9; do printf '" +
                       octal + "' >&$fd; done 2>/dev/null\nexit 0\n"}});
  EXPECT_EQ(told.Check("a").verdict(), v1::VERDICT_SKIPPED);
  EXPECT_EQ(told.Check("a").earned(), 0);
  EXPECT_EQ(told.finished().outcome(), v1::Run::OUTCOME_SERVICE_CRASHED);
}

}  // namespace
}  // namespace assay::tests
