// What taps tell of a run's statements, held against what PostgreSQL itself
// wrote down: every example that has a database, statement for statement.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "runner/wires/sql_text.h"
#include "tests/runner/run/run_fixture.h"

namespace assay::tests {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

struct Example {
  const char* name;
  const char* solution;
};

// How often each normalised statement was seen.
using Seen = std::map<std::string, int>;

fs::path Root() {
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  return fs::path(source ? source : ".") / "docs/examples";
}

std::map<std::string, std::string> ReadTree(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    files[fs::relative(entry.path(), root).string()] = text.str();
  }
  return files;
}

void Count(const std::string& statement, Seen& seen) {
  for (const std::string_view one : wires::SplitSql(statement)) {
    ++seen[wires::ReadSql(one).normalised];
  }
}

// The service's statements of a log whose lines begin with RunFixture::kPrefix;
// lines that belong to the one before begin with a tab.
Seen Logged(const std::string& log) {
  Seen seen;
  std::istringstream lines(log);
  std::string line;
  std::string statement;
  const auto finish = [&] {
    if (!statement.empty()) Count(statement, seen);
    statement.clear();
  };
  while (std::getline(lines, line)) {
    if (line.starts_with("\t")) {
      if (!statement.empty()) statement += "\n" + line.substr(1);
      continue;
    }
    finish();
    // Not the runner's own, nor those of a program that says it is.
    if (!line.starts_with("<app|") || line.starts_with("<app|assay|")) continue;
    if (const auto at = line.find("> LOG:  statement: ");
        at != std::string::npos) {
      statement = line.substr(at + 19);
    } else if (const auto execute = line.find("> LOG:  execute ");
               execute != std::string::npos) {
      statement = line.substr(line.find(": ", execute + 16) + 2);
    }
  }
  finish();
  return seen;
}

class StatementLogTest : public RunFixture,
                         public testing::WithParamInterface<Example> {};

TEST_P(StatementLogTest, WhatTheTapSeesIsWhatTheServerLogs) {
  log_statements_ = true;
  const fs::path example = Root() / GetParam().name;
  const Told told =
      Run(ReadTree(example / "suite"), ReadTree(example / GetParam().solution),
          [](runner::v1::RunInput& input) {
            input.mutable_plan()->mutable_limits()->set_log_bytes(64 << 20);
          });
  ASSERT_EQ(told.finished().outcome(), v1::Run::OUTCOME_COMPLETED)
      << told.finished().reason();

  Seen tapped;
  // A server that is killed may have written these down, or not.
  Seen unsure;
  int all = 0;
  for (const auto& span : told.Spans()) {
    if (Attribute(span, "assay.wire") != "db") continue;
    const std::string text = Attribute(span, "db.query.text");
    const std::string error = Attribute(span, "error.type");
    ++all;
    // Nothing that could not be parsed is written down as a statement.
    const bool lost = error == "connection_closed" || error == "57P01" ||
                      error == "57P02" || error == "57P03" || error == "42601";
    ++(lost ? unsure : tapped)[text];
  }
  std::string differences;
  Seen logged = Logged(told.Log("sidecar.db"));
  int in_log = 0;
  std::set<std::string> texts;
  for (const auto& [text, number] : logged) {
    texts.insert(text);
    in_log += number;
  }
  for (const auto& [text, number] : tapped) texts.insert(text);
  for (const std::string& text : texts) {
    const int least = tapped[text];
    const int most = least + unsure[text];
    if (logged[text] >= least && logged[text] <= most) continue;
    differences += text + ": " + std::to_string(logged[text]) + " logged, " +
                   std::to_string(least) + " seen\n";
  }
  EXPECT_EQ(differences, "");
  EXPECT_GT(in_log, 50);
  RecordProperty("statements", all);
  std::printf("%s: %d statements seen, %d logged\n", GetParam().name, all,
              in_log);
}

INSTANTIATE_TEST_SUITE_P(
    Examples, StatementLogTest,
    testing::Values(Example{"orders-api", "solutions/sound"},
                    Example{"orders-api", "solutions/node"},
                    Example{"survive-failures", "reference"}),
    [](const auto& info) {
      std::string name = std::string(info.param.name) + info.param.solution;
      std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
      return name;
    });

// The list above is all of them.
TEST(StatementLog, CoversEveryExampleWithADatabase) {
  std::set<std::string> with;
  for (const auto& folder : fs::directory_iterator(Root())) {
    std::ifstream in(folder.path() / "suite/assay.yaml");
    std::stringstream text;
    text << in.rdbuf();
    if (text.str().find("kind: postgres") != std::string::npos) {
      with.insert(folder.path().filename().string());
    }
  }
  EXPECT_THAT(with, testing::ElementsAre("orders-api", "survive-failures"));
}

}  // namespace
}  // namespace assay::tests
