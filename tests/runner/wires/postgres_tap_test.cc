// The tap between real clients and a real server.

#include "runner/wires/postgres_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
