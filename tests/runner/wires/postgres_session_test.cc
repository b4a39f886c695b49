#include "runner/wires/postgres_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/runner/wires/postgres_script.h"

namespace assay::wires {
namespace {

using namespace script;  // NOLINT: the scripts read like the protocol.
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// One piece of a conversation: who speaks, and what.
struct Line {
  Speaker speaker;
  std::string bytes;
};
Line C(std::string bytes) { return {Speaker::kClient, std::move(bytes)}; }
Line S(std::string bytes) { return {Speaker::kServer, std::move(bytes)}; }

class PostgresSessionTest : public testing::Test {
 protected:
  // Plays `lines`, each cut into pieces of `piece` bytes (0: whole).
  void Play(const std::vector<Line>& lines, std::size_t piece = 0) {
    for (const Line& line : lines) {
      std::string_view rest = line.bytes;
      while (!rest.empty()) {
        const std::string_view now = piece ? rest.substr(0, piece) : rest;
        ++clock_;
        if (line.speaker == Speaker::kClient) {
          session_->OnClient(now, {clock_, mark_});
        } else {
          session_->OnServer(now, {clock_, mark_});
        }
        rest.remove_prefix(now.size());
      }
    }
    for (auto& event : session_->TakeEvents()) events_.push_back(event);
  }

  void LogIn() {
    Play({C(Startup("app", "shop")), S(LoggedIn())});
    events_.clear();
  }

  std::vector<Statement> Statements() const {
    std::vector<Statement> out;
    for (const auto& event : events_) {
      if (const auto* s = std::get_if<Statement>(&event)) out.push_back(*s);
    }
    return out;
  }
  std::vector<std::string> Texts() const {
    std::vector<std::string> out;
    for (const Statement& s : Statements()) out.push_back(s.text);
    return out;
  }
  std::string FallBackReason() const {
    for (const auto& event : events_) {
      if (const auto* f = std::get_if<FellBack>(&event)) return f->reason;
    }
    return "";
  }

  std::optional<PostgresSession> session_{std::in_place};
  std::vector<PostgresEvent> events_;
  std::uint64_t clock_ = 0;
  std::uint64_t mark_ = 0;
};

TEST_F(PostgresSessionTest, ASimpleQueryIsOneStatementWithItsRows) {
  LogIn();
  Play({C(Query("select * from orders")),
        S(RowDescription() + Row() + Row() + Complete("SELECT 2") + Ready())});
  const auto statements = Statements();
  ASSERT_THAT(statements, SizeIs(1));
  EXPECT_EQ(statements[0].text, "select * from orders");
  EXPECT_EQ(statements[0].rows, 2);
  EXPECT_EQ(statements[0].bytes, 6);
  EXPECT_EQ(statements[0].tag, "SELECT 2");
  EXPECT_EQ(statements[0].protocol, Statement::Protocol::kSimple);
  EXPECT_LT(statements[0].begin.nanos, statements[0].end_nanos);
}

TEST_F(PostgresSessionTest, TheLoginNamesUserAndDatabase) {
  Play({C(StartupCode(kSslRequest)), S("N"), C(StartupCode(kGssEncRequest)),
        S("N"), C(Startup("app", "shop")), S(LoggedIn())});
  ASSERT_THAT(events_, SizeIs(1));
  const auto& started = std::get<SessionStarted>(events_[0]);
  EXPECT_EQ(started.user, "app");
  EXPECT_EQ(started.database, "shop");
}

TEST_F(PostgresSessionTest, EachStatementOfAQueryStringIsAnsweredOnItsOwn) {
  LogIn();
  Play({C(Query("begin; insert into t values (';'); -- no; \n commit;")),
        S(Complete("BEGIN") + Complete("INSERT 0 1") + Complete("COMMIT") +
          Ready())});
  EXPECT_THAT(Texts(), ElementsAre("begin", " insert into t values (';')",
                                   " -- no; \n commit"));
  EXPECT_EQ(Statements()[1].rows, 1);
  EXPECT_EQ(Statements()[1].transaction, 'T');
}

TEST_F(PostgresSessionTest, AnErrorEndsTheQueryStringAtTheFailedStatement) {
  LogIn();
  Play({C(Query("select 1; select nope; select 2")),
        S(Complete("SELECT 1") + Failed("42703", "no column") + Ready()),
        C(Query("select 3")), S(Complete("SELECT 1") + Ready())});
  ASSERT_THAT(Texts(), ElementsAre("select 1", " select nope", "select 3"));
  EXPECT_EQ(Statements()[1].error_code, "42703");
  EXPECT_EQ(Statements()[1].error_message, "no column");
}

TEST_F(PostgresSessionTest, ExtendedProtocolResolvesTextAndParameters) {
  LogIn();
  Play({C(Parse("", "select $1, $2, $3") +
          Bind("", "", {"a", std::nullopt, "7"}) + DescribePortal() +
          Execute() + Sync()),
        S(ParseComplete() + BindComplete() + RowDescription() + Row() +
          Complete("SELECT 1") + Ready())});
  const auto statements = Statements();
  ASSERT_THAT(statements, SizeIs(1));
  EXPECT_EQ(statements[0].text, "select $1, $2, $3");
  EXPECT_EQ(statements[0].protocol, Statement::Protocol::kExtended);
  ASSERT_THAT(statements[0].parameters, SizeIs(3));
  EXPECT_EQ(statements[0].parameters[0].value, "a");
  EXPECT_EQ(statements[0].parameters[1].value, std::nullopt);
  EXPECT_EQ(statements[0].parameters[2].value, "7");
}

TEST_F(PostgresSessionTest, APreparedStatementIsKnownByNameUntilItIsClosed) {
  LogIn();
  Play({C(Parse("s1", "select $1", {23}) + Sync()),
        S(ParseComplete() + Ready())});
  for (const std::string value : {"1", "2"}) {
    Play({C(Bind("", "s1", {value}) + Execute() + Sync()),
          S(BindComplete() + Row() + Complete("SELECT 1") + Ready())});
  }
  EXPECT_THAT(Texts(), ElementsAre("select $1", "select $1"));
  EXPECT_EQ(Statements()[1].prepared_name, "s1");
  EXPECT_EQ(Statements()[1].parameters[0].value, "2");
}

TEST_F(PostgresSessionTest, BinaryParametersAreShownByTheTypesTheServerGave) {
  LogIn();
  std::string types;
  AppendInt16(types, 2);
  AppendInt32(types, 23);
  AppendInt32(types, 2950);
  Play({C(Parse("s", "select $1, $2") + DescribeStatement("s") + Sync()),
        S(ParseComplete() + Message('t', types) + RowDescription() + Ready()),
        C(Bind("", "s", {std::string("\0\0\1\2", 4), "\xab\xcd"}, 1) +
          Execute() + Sync()),
        S(BindComplete() + Row() + Complete("SELECT 1") + Ready())});
  ASSERT_THAT(Statements(), SizeIs(1));
  EXPECT_EQ(Statements()[0].parameters[0].value, "258");
  EXPECT_EQ(Statements()[0].parameters[1].value, "\\xabcd");
}

TEST_F(PostgresSessionTest, PipelinedStatementsAreMatchedInOrder) {
  LogIn();
  Play({C(Parse("", "begin") + Bind("", "", {}) + Execute() +
          Parse("", "insert into a values ($1)") + Bind("", "", {"1"}) +
          Execute() + Sync() + Parse("", "select 1") + Bind("", "", {}) +
          Execute() + Sync()),
        S(ParseComplete() + BindComplete() + Complete("BEGIN") +
          ParseComplete() + BindComplete() + Complete("INSERT 0 1") +
          Ready('T') + ParseComplete() + BindComplete() + Row() +
          Complete("SELECT 1") + Ready('T'))});
  EXPECT_THAT(Texts(),
              ElementsAre("begin", "insert into a values ($1)", "select 1"));
  EXPECT_EQ(Statements()[0].transaction, 'I');
  EXPECT_EQ(Statements()[1].transaction, 'T');
}

TEST_F(PostgresSessionTest, AnErrorSkipsThePipelineUpToTheNextSync) {
  LogIn();
  Play({C(Parse("", "bad") + Bind("", "", {}) + Execute() +
          Parse("", "skipped") + Bind("", "", {}) + Execute() + Sync() +
          Parse("", "good") + Bind("", "", {}) + Execute() + Sync()),
        S(Failed("42601", "syntax error") + Ready() + ParseComplete() +
          BindComplete() + Complete("SELECT 0") + Ready())});
  EXPECT_THAT(Texts(), ElementsAre("bad", "good"));
  EXPECT_EQ(Statements()[0].error_code, "42601");
  EXPECT_EQ(FallBackReason(), "");
}

TEST_F(PostgresSessionTest, MessagesAfterAnErrorAreIgnoredUntilTheSyncComes) {
  LogIn();
  Play({C(Parse("", "bad")), S(Failed("42601", "syntax error")),
        C(Bind("", "", {}) + Execute() + Sync()), S(Ready()), C(Query("good")),
        S(Complete("SELECT 0") + Ready())});
  EXPECT_THAT(Texts(), ElementsAre("bad", "good"));
}

TEST_F(PostgresSessionTest, ADeferredErrorAtSyncIsACommitThatFailed) {
  LogIn();
  Play({C(Parse("", "insert") + Bind("", "", {}) + Execute() + Sync()),
        S(ParseComplete() + BindComplete() + Complete("INSERT 0 1") +
          Failed("23503", "foreign key") + Ready())});
  EXPECT_THAT(Texts(), ElementsAre("insert", "COMMIT"));
  EXPECT_EQ(Statements()[1].error_code, "23503");
}

TEST_F(PostgresSessionTest, CopyInCountsItsBytes) {
  LogIn();
  Play({C(Query("copy t from stdin")), S(CopyIn()),
        C(CopyData("1\tx\n") + CopyData("2\ty\n") + CopyDone()),
        S(Complete("COPY 2") + Ready())});
  ASSERT_THAT(Statements(), SizeIs(1));
  EXPECT_EQ(Statements()[0].rows, 2);
  EXPECT_EQ(Statements()[0].bytes, 8);
}

TEST_F(PostgresSessionTest, ASyncThatCopyInSwallowsIsNotWaitedFor) {
  LogIn();
  Play({C(Parse("", "copy t from stdin") + Bind("", "", {}) + Execute() +
          Sync()),
        S(ParseComplete() + BindComplete() + CopyIn()),
        C(CopyData("1\n") + Sync() + CopyDone() + Sync()),
        S(Complete("COPY 1") + Ready()), C(Query("select 1")),
        S(Complete("SELECT 1") + Ready())});
  EXPECT_THAT(Texts(), ElementsAre("copy t from stdin", "select 1"));
  EXPECT_EQ(FallBackReason(), "");
}

TEST_F(PostgresSessionTest, ACancelRequestIsAConnectionOfItsOwn) {
  std::string rest;
  AppendInt32(rest, 4711);
  AppendInt32(rest, 1);
  Play({C(StartupCode(kCancelRequest, rest))});
  ASSERT_THAT(events_, SizeIs(1));
  EXPECT_EQ(std::get<CancelRequested>(events_[0]).process, 4711);
}

TEST_F(PostgresSessionTest, WhatIsUnderWayWhenTheConnectionEndsIsUnanswered) {
  LogIn();
  Play({C(Query("select pg_sleep(60)"))});
  session_->OnClose({++clock_, 0});
  Play({});
  ASSERT_THAT(Statements(), SizeIs(1));
  EXPECT_TRUE(Statements()[0].unanswered);
}

TEST_F(PostgresSessionTest, ARefusedLoginIsAConnectionError) {
  Play({C(Startup("app", "shop")), S(Failed("3D000", "no such database"))});
  ASSERT_THAT(events_, SizeIs(2));
  EXPECT_EQ(std::get<ConnectionFailed>(events_[1]).error.code, "3D000");
}

TEST_F(PostgresSessionTest, EncryptionIsSaidRatherThanGuessedAt) {
  Play({C(StartupCode(kSslRequest)), S("S"), C("\x16\x03\x01 tls")});
  EXPECT_EQ(FallBackReason(), "the connection is encrypted from here on");
}

TEST_F(PostgresSessionTest, BytesThatAreNotTheProtocolFallBackOnce) {
  Play({C("GET / HTTP/1.1\r\n\r\n"), C("more"), S("HTTP/1.1 200 OK\r\n")});
  ASSERT_THAT(events_, SizeIs(1));
  EXPECT_EQ(FallBackReason(),
            "the client does not speak PostgreSQL's protocol");
}

TEST_F(PostgresSessionTest, AnAnswerThatNobodyAskedForFallsBack) {
  LogIn();
  Play({S(ParseComplete())});
  EXPECT_EQ(FallBackReason(), "an answer came that nothing had asked for");
}

TEST_F(PostgresSessionTest, APipelineWithoutEndIsBounded) {
  LogIn();
  std::string syncs;
  for (std::size_t i = 0; i <= PostgresSession::kPending; ++i) syncs += Sync();
  Play({C(syncs)});
  EXPECT_NE(FallBackReason(), "");
}

TEST_F(PostgresSessionTest, AGiantStatementIsCutAndTheNextOneIsSeenWhole) {
  LogIn();
  const std::string giant = "select '" + std::string(300'000, 'x') + "'";
  Play({C(Query(giant)),
        S(Row(std::string(200'000, 'y')) + Complete("SELECT 1") + Ready()),
        C(Query("select 2")), S(Complete("SELECT 1") + Ready())},
       1000);
  ASSERT_THAT(Statements(), SizeIs(2));
  EXPECT_EQ(Statements()[0].text.size(), 64u << 10);
  EXPECT_EQ(Statements()[0].bytes, 200'000);
  EXPECT_EQ(Statements()[1].text, "select 2");
}

TEST_F(PostgresSessionTest, TheMarkIsTheOneOfTheMomentItWasAsked) {
  LogIn();
  mark_ = 7;
  Play({C(Query("select 1"))});
  mark_ = 8;
  Play({S(Complete("SELECT 1") + Ready())});
  EXPECT_EQ(Statements()[0].begin.mark, 7u);
}

TEST_F(PostgresSessionTest, EverySplitOfTheBytesTellsTheSame) {
  const std::vector<Line> lines = {
      C(StartupCode(kSslRequest)),
      S("N"),
      C(Startup("app", "shop")),
      S(LoggedIn()),
      C(Query("select 1; select 2")),
      S(Row() + Complete("SELECT 1") + Row() + Complete("SELECT 1") + Ready()),
      C(Parse("p", "select $1") + Bind("", "p", {"x"}) + Execute() + Sync()),
      S(ParseComplete() + BindComplete() + Row() + Complete("SELECT 1") +
        Ready()),
      C(Query("nope")),
      S(Failed("42601", "syntax error") + Ready())};
  for (std::size_t piece = 1; piece < 20; ++piece) {
    session_.emplace();
    events_.clear();
    Play(lines, piece);
    EXPECT_THAT(Texts(),
                ElementsAre("select 1", " select 2", "select $1", "nope"))
        << "pieces of " << piece;
    EXPECT_THAT(FallBackReason(), IsEmpty());
  }
}

}  // namespace
}  // namespace assay::wires
