// The tap between real clients and a real server.

#include "runner/wires/postgres_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "runner/wires/dial.h"
#include "runner/wires/postgres_client.h"
#include "tests/testing/postgres_server.h"

namespace assay::wires {
namespace {

namespace asio = boost::asio;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Recorder final : public PostgresListener {
 public:
  std::uint64_t Mark() override { return 0; }
  void OnPostgres(int connection, const std::string& database,
                  const PostgresEvent& event) override {
    if (const auto* s = std::get_if<Statement>(&event)) {
      statements.push_back(*s);
      databases.push_back(database);
    }
    if (const auto* f = std::get_if<FellBack>(&event)) {
      fallbacks.push_back(f->reason);
    }
    if (std::holds_alternative<CancelRequested>(event)) ++cancels;
    if (std::holds_alternative<SessionStarted>(event)) ++sessions;
  }
  std::vector<Statement> statements;
  std::vector<std::string> databases;
  std::vector<std::string> fallbacks;
  int cancels = 0;
  int sessions = 0;
};

class PostgresTapTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = tests::PostgresServer::Start();
    ASSERT_TRUE(started.has_value()) << started.error();
    server_ = std::move(started)->release();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  void SetUp() override {
    auto listening = network_.Listen(0);
    ASSERT_TRUE(listening.has_value()) << listening.error();
    port_ = PortOf(listening->get());
    tap_.emplace(io_.get_executor(), *std::move(listening), network_,
                 server_->port(), recorder_);
    thread_ = std::thread([this] { io_.run(); });
  }

  // Ends the tap; from here on what was recorded may be read.
  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { tap_.reset(); });
    thread_.join();
  }
  void TearDown() override { Stop(); }

  std::string Url() const {
    return "postgresql://app:app@127.0.0.1:" + std::to_string(port_) + "/app";
  }
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const Statement& s : recorder_.statements) texts.push_back(s.text);
    return texts;
  }
  // What a program says, run with its text in a file.
  tests::Output Run(const std::string& program, const std::string& suffix,
                    const std::string& text) {
    const std::string path =
        (std::filesystem::temp_directory_path() /
         ("assay-tap-" + std::to_string(getpid()) + suffix))
            .string();
    std::ofstream(path) << text;
    auto output = tests::RunProgram({program, path, Url()});
    std::filesystem::remove(path);
    return output;
  }

  static tests::PostgresServer* server_;
  HostNetwork network_;
  Recorder recorder_;
  asio::io_context io_;
  std::optional<PostgresTap> tap_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

tests::PostgresServer* PostgresTapTest::server_ = nullptr;

TEST_F(PostgresTapTest, PsycopgInterpolatesAndBeginsByItself) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import sys, psycopg2
c = psycopg2.connect(sys.argv[1])
k = c.cursor()
k.execute("create temp table t (id int, name text)")
k.execute("insert into t values (%s, %s), (2, 'b')", (1, "it's"))
c.commit()
k.execute("select * from t where id = %s", (1,))
print(k.fetchall())
try:
    k.execute("select nope from t")
except psycopg2.Error as e:
    print(e.pgcode)
c.rollback()
c.close()
)py");
  EXPECT_EQ(output.text, "[(1, \"it's\")]\n42703\n");
  Stop();
  EXPECT_THAT(Texts(),
              ElementsAre("BEGIN", "create temp table t (id int, name text)",
                          "insert into t values (1, 'it''s'), (2, 'b')",
                          "COMMIT", "BEGIN", "select * from t where id = 1",
                          "select nope from t", "ROLLBACK"));
  EXPECT_EQ(recorder_.statements[2].rows, 2);
  EXPECT_EQ(recorder_.statements[2].transaction, 'T');
  EXPECT_EQ(recorder_.statements[6].error_code, "42703");
  EXPECT_EQ(recorder_.statements[7].transaction, 'E');
  EXPECT_THAT(recorder_.databases, Contains("app"));
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
}

TEST_F(PostgresTapTest, PsycopgPreparedNamesAndServerSideCursors) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import sys, psycopg2
c = psycopg2.connect(sys.argv[1])
k = c.cursor("named")
k.itersize = 2
k.execute("select * from generate_series(1, 5)")
print(sum(r[0] for r in k))
c.commit()
)py");
  EXPECT_EQ(output.text, "15\n");
  Stop();
  EXPECT_THAT(Texts(), Contains(HasSubstr("FETCH FORWARD 2")));
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
}

TEST_F(PostgresTapTest, PsqlCopiesInAndOut) {
  const tests::Output output =
      tests::RunProgram({"bash", "-c",
                         "printf '1\\ta\\n2\\tb\\n' | psql -qAt '" + Url() +
                             "' -c 'create temp table t (id int, name text)'"
                             " -c 'copy t from stdin' -c 'copy t to stdout'"});
  EXPECT_EQ(output.text, "1\ta\n2\tb\n");
  Stop();
  ASSERT_THAT(recorder_.statements, SizeIs(3));
  EXPECT_EQ(recorder_.statements[1].rows, 2);
  EXPECT_EQ(recorder_.statements[1].bytes, 8);
  EXPECT_EQ(recorder_.statements[2].rows, 2);
  EXPECT_EQ(recorder_.statements[2].bytes, 8);
}

TEST_F(PostgresTapTest, ACancelledStatementFailsAndTheCancelIsSeen) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import sys, threading, psycopg2
c = psycopg2.connect(sys.argv[1])
k = c.cursor()
k.execute("select 1")
threading.Timer(0.1, c.cancel).start()
try:
    k.execute("select pg_sleep(20)")
except psycopg2.errors.QueryCanceled:
    print("cancelled")
)py");
  EXPECT_EQ(output.text, "cancelled\n");
  Stop();
  EXPECT_EQ(recorder_.cancels, 1);
  EXPECT_EQ(recorder_.statements.back().error_code, "57014");
}

TEST_F(PostgresTapTest, NodePostgresSpeaksExtendedAndPipelines) {
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  const std::string modules =
      std::string(source ? source : ".") + "/tests/runner/wires/node";
  if (!std::filesystem::exists(modules + "/node_modules/pg")) {
    const auto installed = tests::RunProgram(
        {"npm", "ci", "--prefix", modules, "--no-audit", "--no-fund"});
    ASSERT_EQ(installed.exit_code, 0) << installed.text;
  }
  setenv("NODE_PATH", (modules + "/node_modules").c_str(), 1);
  const tests::Output output = Run("node", ".js", R"js(
const { Client } = require('pg');
(async () => {
  const c = new Client({ connectionString: process.argv[2] });
  await c.connect();
  await c.query('create temp table t (id int, name text, ok bool)');
  await c.query('insert into t values ($1, $2, $3)', [7, null, true]);
  const named = { name: 'by-id', text: 'select * from t where id = $1' };
  await c.query({ ...named, values: [7] });
  const r = await c.query({ ...named, values: [7] });
  console.log(JSON.stringify(r.rows));
  await c.query('select $1::int', ['x']).catch(e => console.log(e.code));
  const many = [1, 2, 3].map(i => c.query('select $1::int as n', [i]));
  console.log((await Promise.all(many)).map(r => r.rows[0].n).join());
  await c.end();
})();
)js");
  EXPECT_EQ(output.text,
            "[{\"id\":7,\"name\":null,\"ok\":true}]\n22P02\n1,2,3\n");
  Stop();
  ASSERT_THAT(Texts(),
              ElementsAre("create temp table t (id int, name text, ok bool)",
                          "insert into t values ($1, $2, $3)",
                          "select * from t where id = $1",
                          "select * from t where id = $1", "select $1::int",
                          "select $1::int as n", "select $1::int as n",
                          "select $1::int as n"));
  const auto& insert = recorder_.statements[1];
  EXPECT_EQ(insert.protocol, Statement::Protocol::kExtended);
  EXPECT_EQ(insert.parameters[0].value, "7");
  EXPECT_EQ(insert.parameters[1].value, std::nullopt);
  EXPECT_EQ(recorder_.statements[3].prepared_name, "by-id");
  EXPECT_EQ(recorder_.statements[4].error_code, "22P02");
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
}

TEST_F(PostgresTapTest, WhatTheTapSeesIsWhatTheServerLogs) {
  const std::size_t before = server_->Log().size();
  const tests::Output output =
      tests::RunProgram({"psql", "-qAt", Url(), "-c", "select 'tapped', 1",
                         "-c", "select * from pg_class where oid = 0", "-c",
                         "begin", "-c", "rollback"});
  EXPECT_EQ(output.exit_code, 0) << output.text;
  Stop();
  std::string log = server_->Log().substr(before);
  for (const std::string& text : Texts()) {
    const std::size_t at = log.find("statement: " + text + "\n");
    ASSERT_NE(at, std::string::npos) << text << " in " << log;
    log.erase(at, text.size() + 12);
  }
  EXPECT_EQ(log.find("statement: "), std::string::npos) << log;
}

TEST_F(PostgresTapTest, LibpqsPipelineModeIsMatchedInOrder) {
  PGconn* connection = PQconnectdb(Url().c_str());
  ASSERT_EQ(PQstatus(connection), CONNECTION_OK) << PQerrorMessage(connection);
  ASSERT_EQ(PQenterPipelineMode(connection), 1);
  const auto send = [&](const char* sql, const char* value) {
    ASSERT_EQ(PQsendQueryParams(connection, sql, value == nullptr ? 0 : 1,
                                nullptr, &value, nullptr, nullptr, 0),
              1);
  };
  send("select $1::int + 1", "1");
  send("select $1::int / 0", "7");
  // Skipped by the server, up to the next Sync.
  send("select 'skipped'", nullptr);
  ASSERT_EQ(PQpipelineSync(connection), 1);
  send("select $1::text", "after");
  ASSERT_EQ(PQpipelineSync(connection), 1);
  std::vector<ExecStatusType> states;
  for (int syncs = 0; syncs < 2;) {
    PGresult* result = PQgetResult(connection);
    if (result == nullptr) continue;
    states.push_back(PQresultStatus(result));
    syncs += states.back() == PGRES_PIPELINE_SYNC ? 1 : 0;
    PQclear(result);
  }
  PQfinish(connection);
  EXPECT_THAT(states, ElementsAre(PGRES_TUPLES_OK, PGRES_FATAL_ERROR,
                                  PGRES_PIPELINE_ABORTED, PGRES_PIPELINE_SYNC,
                                  PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC));
  Stop();
  ASSERT_THAT(Texts(), ElementsAre("select $1::int + 1", "select $1::int / 0",
                                   "select $1::text"));
  EXPECT_EQ(recorder_.statements[0].rows, 1);
  EXPECT_EQ(recorder_.statements[1].error_code, "22012");
  EXPECT_EQ(recorder_.statements[2].parameters[0].value, "after");
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
}

// What PostgreSQL's JDBC driver sends: BEGIN pipelined with the first
// statement, unnamed statements at first, a named one from the fifth execution
// on, described once, and never parsed again.
TEST_F(PostgresTapTest, AReplayOfTheJdbcDriverIsUnderstood) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import socket, struct, sys, urllib.parse
s = socket.create_connection(("127.0.0.1", urllib.parse.urlparse(sys.argv[1]).port))
def message(kind, body): return kind + struct.pack("!i", len(body) + 4) + body
def read(wanted):
    """Messages up to `wanted` times ReadyForQuery."""
    kinds = ""
    while wanted:
        head = b""
        while len(head) < 5: head += s.recv(5 - len(head))
        size = struct.unpack("!i", head[1:])[0] - 4
        while size: size -= len(s.recv(size))
        kinds += head[:1].decode()
        wanted -= head[:1] == b"Z"
    return kinds
s.sendall(struct.pack("!ii", 8, 80877103))
print(s.recv(1))
start = struct.pack("!i", 196608) + b"user\x00app\x00database\x00app\x00client_encoding\x00UTF8\x00DateStyle\x00ISO\x00TimeZone\x00UTC\x00extra_float_digits\x002\x00\x00"
s.sendall(struct.pack("!i", len(start) + 4) + start)
read(1)
sync = message(b"S", b"")
def parse(name, sql, types): return message(b"P", name + b"\x00" + sql + b"\x00" + struct.pack("!h", len(types)) + b"".join(struct.pack("!i", t) for t in types))
def bind(name, values): return message(b"B", b"\x00" + name + b"\x00" + struct.pack("!hh", 1, 1) + struct.pack("!h", len(values)) + b"".join(struct.pack("!i", len(v)) + v for v in values) + struct.pack("!h", 0))
def bind_none(name): return message(b"B", b"\x00" + name + b"\x00" + struct.pack("!hhh", 0, 0, 0))
describe, execute = message(b"D", b"P\x00"), message(b"E", b"\x00" + struct.pack("!i", 0))
once = message(b"E", b"\x00" + struct.pack("!i", 1))
begin = parse(b"S_0", b"BEGIN", []) + bind_none(b"S_0") + once
for i in range(7):
    out = begin if i == 0 else b""
    value = struct.pack("!i", 40 + i)
    if i < 4: out += parse(b"", b"select $1 + 2", [23]) + bind(b"", [value]) + describe + execute
    elif i == 4: out += parse(b"S_1", b"select $1 + 2", [23]) + bind(b"S_1", [value]) + message(b"D", b"SS_1\x00") + execute
    else: out += bind(b"S_1", [value]) + execute
    s.sendall(out + sync)
    print(read(1))
s.sendall(parse(b"S_2", b"COMMIT", []) + bind_none(b"S_2") + once + message(b"C", b"SS_1\x00") + sync)
print(read(1))
s.sendall(message(b"X", b""))
)py");
  EXPECT_EQ(output.exit_code, 0) << output.text;
  EXPECT_THAT(output.text, testing::StartsWith("b'N'\n12C12TDCZ\n12TDCZ\n"));
  Stop();
  std::vector<std::string> expected(9, "select $1 + 2");
  expected.front() = "BEGIN";
  expected.back() = "COMMIT";
  ASSERT_EQ(Texts(), expected) << output.text;
  const auto& statements = recorder_.statements;
  for (std::size_t i = 1; i <= 7; ++i) {
    EXPECT_EQ(statements[i].parameters[0].value, std::to_string(39 + i)) << i;
    EXPECT_EQ(statements[i].rows, 1) << i;
    EXPECT_EQ(statements[i].prepared_name, i < 5 ? "" : "S_1") << i;
  }
  EXPECT_THAT(recorder_.fallbacks, IsEmpty());
}

TEST_F(PostgresTapTest, TlsIsRefusedSoThatDriversFallBackUnlessTheyInsist) {
  const auto with = [&](const std::string& mode) {
    return tests::RunProgram(
        {"psql", "-qAt", Url() + "?sslmode=" + mode, "-c", "select 'in'"});
  };
  EXPECT_EQ(with("prefer").text, "in\n");
  const tests::Output insists = with("require");
  EXPECT_EQ(insists.exit_code, 2);
  EXPECT_THAT(insists.text, HasSubstr("server does not support SSL"));
  EXPECT_EQ(with("disable").text, "in\n");
  Stop();
  EXPECT_THAT(Texts(), ElementsAre("select 'in'", "select 'in'"));
}

TEST_F(PostgresTapTest, AGiantMessagePassesAndIsKeptInPart) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import sys, psycopg2
c = psycopg2.connect(sys.argv[1])
k = c.cursor()
k.execute("select length(%s)", ("x" * (24 << 20),))
print(k.fetchone()[0])
k.execute("select repeat('y', 20 << 20)")
print(len(k.fetchone()[0]))
k.execute("select 'small'")
print(k.fetchone()[0])
)py");
  EXPECT_EQ(output.text, "25165824\n20971520\nsmall\n");
  Stop();
  const auto texts = Texts();
  ASSERT_THAT(texts, SizeIs(4));
  EXPECT_LE(texts[1].size(), 64u << 10);
  EXPECT_GE(recorder_.statements[2].bytes, 20 << 20);
  EXPECT_EQ(texts[3], "select 'small'");
}

// It asks for far more than buffers hold, reads nothing of it, and goes; half
// of the connection is closed before. Others are served meanwhile.
TEST_F(PostgresTapTest, OneThatNeverReadsHoldsUpNobodyElse) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import resource, socket, struct, sys, urllib.parse, psycopg2
s = socket.create_connection(("127.0.0.1", urllib.parse.urlparse(sys.argv[1]).port))
start = struct.pack("!i", 196608) + b"user\x00app\x00database\x00app\x00\x00"
s.sendall(struct.pack("!i", len(start) + 4) + start)
seen = b""
while not seen.endswith(b"Z\x00\x00\x00\x05I"): seen += s.recv(4096)
sql = b"select repeat('x', 1000) from generate_series(1, 300000)\x00"
s.sendall(b"Q" + struct.pack("!i", len(sql) + 4) + sql)
s.shutdown(socket.SHUT_WR)
s.recv(1)
for i in range(20):
    c = psycopg2.connect(sys.argv[1])
    k = c.cursor()
    k.execute("select %s", (i,))
    assert k.fetchone()[0] == i
    c.close()
s.close()
print("served")
)py");
  EXPECT_EQ(output.text, "served\n");
  Stop();
  EXPECT_THAT(Texts(), Contains("select 19"));
  EXPECT_THAT(Texts(), Contains("select repeat('x', 1000) from "
                                "generate_series(1, 300000)"));
}

TEST_F(PostgresTapTest, BytesThatAreNotTheProtocolPassUntouched) {
  const tests::Output output = Run("/usr/bin/python3", ".py", R"py(
import sys, socket, urllib.parse
port = urllib.parse.urlparse(sys.argv[1]).port
s = socket.create_connection(("127.0.0.1", port))
s.sendall(b"GET / HTTP/1.1\r\n\r\n")
s.shutdown(socket.SHUT_WR)
print(s.recv(100))
)py");
  Stop();
  EXPECT_EQ(output.text, "b''\n");
  EXPECT_THAT(recorder_.fallbacks, SizeIs(1));
}

TEST_F(PostgresTapTest, ADeadServerLooksLikeAClosedPort) {
  HostNetwork network;
  auto closed = network.Listen(0);
  const std::uint16_t nobody = PortOf(closed->get());
  closed->Reset();
  auto listening = network.Listen(0);
  const std::uint16_t port = PortOf(listening->get());
  std::optional<PostgresTap> tap;
  asio::post(io_, [&] {
    tap.emplace(io_.get_executor(), *std::move(listening), network, nobody,
                recorder_);
  });
  const tests::Output output =
      tests::RunProgram({"psql", "-qc", "select 1",
                         "postgresql://app@127.0.0.1:" + std::to_string(port)});
  EXPECT_EQ(output.exit_code, 2) << output.text;
  asio::post(io_, [&] { tap.reset(); });
  Stop();
}

// Our own client, beside and through the tap.
class PostgresClientTest : public PostgresTapTest {
 protected:
  using Args = std::vector<std::optional<std::string>>;

  static asio::awaitable<std::string> Ask(PostgresClientTest* self,
                                          std::string statement, Args args,
                                          std::string options = "") {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    auto socket = co_await Dial(self->network_, self->port_,
                                std::chrono::seconds(1), kOwnAddress);
    if (!socket) co_return socket.error().message;
    auto client = co_await PostgresClient::LogIn(
        *std::move(socket), {"app", "app", options}, deadline);
    if (!client) co_return client.error().message;
    auto result = args.empty()
                      ? co_await (*client)->Script(statement, deadline)
                      : co_await (*client)->Query(statement, args, deadline);
    if (!result) co_return result.error().message;
    if (result->error) co_return result->error->code;
    std::string text;
    for (std::size_t i = 0; i < result->columns.size(); ++i) {
      text += result->columns[i].name + ":" +
              std::to_string(result->columns[i].type) + " ";
    }
    for (const auto& row : result->rows) {
      for (const auto& value : row) text += value.value_or("NULL") + ",";
      text += ";";
    }
    co_return text + result->tag;
  }
  std::string AskAndWait(std::string statement, Args args,
                         std::string options = "") {
    return asio::co_spawn(
               io_, Ask(this, std::move(statement), std::move(args), options),
               asio::use_future)
        .get();
  }
};

TEST_F(PostgresClientTest, YieldsTypedColumnsAndRows) {
  EXPECT_EQ(AskAndWait("select $1::int4 as a, $2::text, null::bool as c",
                       {"41", "x,y"}),
            "a:23 text:25 c:16 41,x,y,NULL,;SELECT 1");
}

TEST_F(PostgresClientTest, ErrorsOfTheServerAreData) {
  EXPECT_EQ(AskAndWait("select $1::int4", {"nope"}), "22P02");
  EXPECT_EQ(AskAndWait("create table x (id int)", {},
                       "-c default_transaction_read_only=on"),
            "25006");
  EXPECT_EQ(AskAndWait("copy pg_class from stdin", {}), "42501");
}

TEST_F(PostgresClientTest, AScriptYieldsItsLastResult) {
  EXPECT_EQ(AskAndWait("select 1; select 2 as b", {}), "b:23 2,;SELECT 1");
}

TEST_F(PostgresClientTest, ADeadlineEndsAStatement) {
  EXPECT_EQ(AskAndWait("select pg_sleep(30)", {}),
            "no answer from the database");
}

}  // namespace
}  // namespace assay::wires
