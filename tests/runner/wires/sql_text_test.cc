#include "runner/wires/sql_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace assay::wires {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Normalised(std::string_view sql) { return ReadSql(sql).normalised; }

TEST(SqlTextTest, LiteralsBecomePlaceholdersAndAreKept) {
  const SqlText sql =
      ReadSql("select * from t where a = 'it''s' and b > -1.5e+3 and c = $1");
  EXPECT_EQ(sql.normalised,
            "select * from t where a = ? and b > -? and c = $1");
  EXPECT_THAT(sql.literals, ElementsAre("'it''s'", "1.5e+3"));
}

TEST(SqlTextTest, EveryQuoteEndsWhereThePostgresLexerEndsIt) {
  EXPECT_EQ(Normalised("select E'a\\'b', 'c'"), "select ?, ?");
  EXPECT_EQ(Normalised("select 'a\\', 'c'"), "select ?, ?");
  EXPECT_EQ(Normalised("select $tag$ ' $$ ; $tag$, 1"), "select ?, ?");
  EXPECT_EQ(Normalised(R"(select "a""1" from "T 1")"),
            R"(select "a""1" from "T 1")");
  EXPECT_EQ(Normalised("select x'1f', b'01', N'n'"), "select ?, ?, ?");
  EXPECT_EQ(Normalised("select 'never ends"), "select ?");
}

TEST(SqlTextTest, CommentsAndWhiteSpaceGoAway) {
  EXPECT_EQ(Normalised("select  1 -- one\n , /* a /* b */ c */ 2 ;\n"),
            "select ? , ?");
}

TEST(SqlTextTest, ListsAfterInAreOneShapeWhateverTheirLength) {
  EXPECT_EQ(Normalised("select * from t where id in (1, 2,3)"),
            "select * from t where id in (?)");
  EXPECT_EQ(Normalised("select * from t where id IN ( $1,$2 ) and x = 1"),
            "select * from t where id IN ( $1) and x = ?");
  EXPECT_EQ(Normalised("insert into t (a, b) values (1, 2)"),
            "insert into t (a, b) values (?, ?)");
  EXPECT_EQ(Normalised("select * from t where id in (select 1, 2)"),
            "select * from t where id in (select ?, ?)");
}

TEST(SqlTextTest, SummaryIsOperationAndFirstTable) {
  EXPECT_EQ(
      ReadSql("select a, (select 1 from x) from public.orders o").Summary(),
      "SELECT public.orders");
  EXPECT_EQ(ReadSql("insert into \"Orders\" values (1)").Summary(),
            "INSERT Orders");
  EXPECT_EQ(ReadSql("update only t set a = 1").Summary(), "UPDATE t");
  EXPECT_EQ(ReadSql("delete from t where 1=1").Summary(), "DELETE t");
  EXPECT_EQ(
      ReadSql("with a as (select 1 from b) insert into c select 1").Summary(),
      "INSERT c");
  EXPECT_EQ(ReadSql("create table if not exists t (id int)").Summary(),
            "CREATE t");
  EXPECT_EQ(ReadSql("copy t from stdin").Summary(), "COPY t");
  EXPECT_EQ(ReadSql("begin").Summary(), "BEGIN");
  EXPECT_EQ(ReadSql("").Summary(), "");
}

TEST(SqlTextTest, ACommentMayNameTheTrace) {
  EXPECT_EQ(
      ReadSql("select 1 /*app='x',traceparent='00-4bf92f3577b34da6a3ce929d"
              "0e0e4736-00f067aa0ba902b7-01'*/")
          .traceparent,
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

TEST(SqlTextTest, SplittingLeavesOutWhatTheServerDoesNotAnswer) {
  EXPECT_THAT(SplitSql("a; ;-- x\n; b;"), ElementsAre("a", " b"));
  EXPECT_THAT(SplitSql("select ';', \";\", $$;$$ /*;*/"),
              ElementsAre("select ';', \";\", $$;$$ /*;*/"));
  EXPECT_THAT(SplitSql(" /* nothing */ "), IsEmpty());
}

}  // namespace
}  // namespace assay::wires
