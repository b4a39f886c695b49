// Snapshot and restore on a real server.

#include "runner/sidecars/postgres_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <string>

#include "runner/wires/dial.h"
#include "tests/testing/postgres_server.h"

namespace assay::sidecars {
namespace {

namespace asio = boost::asio;

class PostgresDatabaseTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = tests::PostgresServer::Start();
    ASSERT_TRUE(started.has_value()) << started.error();
    server_ = std::move(started)->release();
    Psql("create role assay_reader login", "postgres");
    Psql("grant pg_read_all_data to assay_reader", "postgres");
    Psql(
        "create role assay_reset login bypassrls; grant app to assay_reset;"
        "grant set on parameter session_replication_role to assay_reset",
        "postgres");
  }
  static void TearDownTestSuite() { delete server_; }

  void SetUp() override {
    Psql("drop schema public cascade; create schema public authorization app",
         "postgres");
    Psql(R"(
create table parents (id int primary key generated always as identity,
  name text, upper_name text generated always as (upper(name)) stored);
create table children (id serial primary key,
  parent int references parents(id), n int check (n > 0));
create table empty (x int);
create table untouched (x int);
insert into untouched select generate_series(1, 1000);
insert into parents (name) values ('a'), ('b');
insert into children (parent, n) values (1, 10), (2, 20);
)");
    const Status taken = Wait(database_->TakeSnapshot(Soon()));
    ASSERT_TRUE(taken.has_value()) << taken.error();
  }

  static std::string Psql(const std::string& sql, std::string user = "app") {
    const auto output =
        tests::RunProgram({"psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql,
                           "postgresql://" + user + "@127.0.0.1:" +
                               std::to_string(server_->port()) + "/app"});
    EXPECT_EQ(output.exit_code, 0) << output.text;
    return output.text;
  }
  static std::string Contents() {
    return Psql(R"(
select 'p', id, name, upper_name from parents order by id;
select 'c', id, parent, n from children order by id;
select 'e', count(*) from empty; select 'u', count(*) from untouched)");
  }

  template <class T>
  T Wait(asio::awaitable<T> task) {
    auto result = asio::co_spawn(io_, std::move(task), asio::use_future);
    io_.restart();
    while (result.wait_for(std::chrono::seconds(0)) !=
           std::future_status::ready) {
      io_.run_one();
    }
    return result.get();
  }
  static asio::awaitable<Expected<std::unique_ptr<wires::PostgresClient>>>
  LogIn(PostgresDatabaseTest* self) {
    auto socket = co_await wires::Dial(self->network_, server_->port(),
                                       std::chrono::seconds(1));
    co_return co_await wires::PostgresClient::LogIn(*std::move(socket),
                                                    {"app", "app", ""}, Soon());
  }
  static PostgresDatabase::Deadline Soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(5);
  }
  int RestoredTables() {
    auto restored = Wait(database_->Restore(Soon()));
    EXPECT_TRUE(restored.has_value()) << restored.error();
    return restored ? restored->tables : -1;
  }

  static tests::PostgresServer* server_;
  asio::io_context io_;
  wires::HostNetwork network_;
  std::unique_ptr<PostgresDatabase> database_ =
      std::make_unique<PostgresDatabase>(network_, server_->port());
};

tests::PostgresServer* PostgresDatabaseTest::server_ = nullptr;

TEST_F(PostgresDatabaseTest, RestoreUndoesInsertsUpdatesAndDeletes) {
  const std::string before = Contents();
  Psql(
      "insert into parents (name) values ('c');"
      "update children set n = 11 where id = 1; delete from children "
      "where id = 2; insert into empty values (1)");
  ASSERT_NE(Contents(), before);
  EXPECT_EQ(RestoredTables(), 3);
  EXPECT_EQ(Contents(), before);
}

TEST_F(PostgresDatabaseTest, OnlyTablesThatChangedAreRewritten) {
  EXPECT_EQ(RestoredTables(), 0);
  Psql("insert into empty values (1)");
  EXPECT_EQ(RestoredTables(), 1);
  EXPECT_EQ(RestoredTables(), 0);
  // A row replaced by an equal number of others.
  Psql("delete from untouched where x = 1; insert into untouched values (1)");
  EXPECT_EQ(RestoredTables(), 1);
}

TEST_F(PostgresDatabaseTest, SequencesStartAgainWhereTheyWere) {
  const std::string insert =
      "insert into children (parent, n) values (1, 1) returning id";
  EXPECT_EQ(Psql(insert), "3\n");
  RestoredTables();
  EXPECT_EQ(Psql(insert), "3\n");
}

TEST_F(PostgresDatabaseTest, TablesMadeLaterAreEmptied) {
  Psql("create table later (x int); insert into later values (1)");
  EXPECT_EQ(RestoredTables(), 1);
  EXPECT_EQ(Psql("select count(*) from later"), "0\n");
  Psql("drop table empty");
  EXPECT_EQ(RestoredTables(), 0);
}

TEST_F(PostgresDatabaseTest, ServicesKeepTheirConnections) {
  PostgresDatabase service(network_, server_->port());
  const auto pid = [&] {
    auto result = Wait(service.Read("select pg_backend_pid()", {}, Soon()));
    return result->rows[0][0];
  };
  const auto before = pid();
  Psql("insert into empty values (1)");
  RestoredTables();
  EXPECT_EQ(pid(), before);
}

TEST_F(PostgresDatabaseTest, AnOpenTransactionThatHoldsLocksIsEnded) {
  auto holder = Wait(LogIn(this));
  ASSERT_TRUE(
      Wait((*holder)->Script("begin; update children set n = 99", Soon())));
  Psql("insert into children (parent, n) values (1, 5)");
  auto restored = Wait(database_->Restore(Soon()));
  ASSERT_TRUE(restored.has_value()) << restored.error();
  EXPECT_TRUE(restored->ended_transactions);
  EXPECT_EQ(Psql("select count(*) from children"), "2\n");
}

TEST_F(PostgresDatabaseTest, WhatACandidateHasAttachedRunsWithoutPower) {
  Psql(R"(
create function guard(n int) returns bool language plpgsql as $$
begin
  if (select rolsuper from pg_roles where rolname = current_user)
    or (select rolsuper from pg_roles where rolname = session_user) then
    raise exception 'called with power';
  end if;
  return true;
end $$;
create function upper_n(n int) returns text immutable language plpgsql as $$
begin perform guard(n); return n::text; end $$;
create table guarded (n int check (guard(n)),
  text text generated always as (upper_n(n)) stored);
create index on guarded (upper_n(n));
alter table guarded enable row level security;
alter table guarded force row level security;
create policy none on guarded using (false) with check (true);
insert into guarded values (1);
)");
  ASSERT_TRUE(Wait(database_->TakeSnapshot(Soon())));
  Psql("insert into guarded values (2)");
  EXPECT_EQ(RestoredTables(), 1);
  EXPECT_EQ(Psql("select count(*) from guarded", "postgres"), "1\n");
}

TEST_F(PostgresDatabaseTest, AStatementThatNobodyWaitsForIsGivenUp) {
  const auto slow = Wait(database_->Read(
      "select pg_sleep(60)", {},
      std::chrono::steady_clock::now() + std::chrono::milliseconds(100)));
  ASSERT_FALSE(slow.has_value());
  EXPECT_EQ(slow.error().code, Code::kDeadlineExceeded);
  // It is still there, and not for long.
  const auto limit = Wait(database_->Read(
      "select current_setting('statement_timeout')", {}, Soon()));
  EXPECT_EQ(limit->rows[0][0], "6s");
}

TEST_F(PostgresDatabaseTest, ReadsCannotWrite) {
  const auto result =
      Wait(database_->Read("insert into empty values ($1)", {"1"}, Soon()));
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->error.has_value());
}

}  // namespace
}  // namespace assay::sidecars
