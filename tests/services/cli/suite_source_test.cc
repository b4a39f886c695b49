#include "services/cli/suite_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "services/cli/known_solution.h"
#include "services/cli/report_file.h"
#include "services/cli/temporary_directory.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

plan::v1::Plan SmallPlan() {
  plan::v1::Plan plan;
  plan.set_name("Shop \xc3\xa4");
  (*plan.mutable_files())["seed.sql"] = std::string("\x00\xff", 2);
  auto* check = plan.add_checks();
  check->set_id("a");
  check->set_points(2.5);
  return plan;
}

TEST(PackTest, ComesBackAsItWas) {
  const auto back = UnpackPlan(PackPlan(SmallPlan()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(suite::PlanDigest(*back), suite::PlanDigest(SmallPlan()));
}

TEST(PackTest, WhatIsNoPackIsRefusedWithAReason) {
  for (const auto& [text, reason] : std::map<std::string, std::string>{
           {"", "expected a folder with an assay.yaml"},
           {"[1]", "expected a folder with an assay.yaml"},
           {R"({"assay_pack": 2})", "version 2; expected 1"},
           {R"({"assay_pack": 1})", "holds no checks"},
           {R"({"assay_pack": 1, "plan": {"name": 5}})", "damaged"},
           {R"({"assay_pack": 1, "plan": []})", "damaged"}}) {
    const auto plan = UnpackPlan(text);
    ASSERT_FALSE(plan) << text;
    EXPECT_THAT(plan.error().message, HasSubstr(reason)) << text;
  }
}

TEST(ReportFileTest, TheNameSaysTheFormat) {
  using Format = ReportFile::Format;
  EXPECT_EQ(ReportFileOf("a/b.html")->format, Format::kHtml);
  EXPECT_EQ(ReportFileOf("b.xml")->format, Format::kJunit);
  EXPECT_EQ(ReportFileOf("b.ctrf.json")->format, Format::kCtrf);
  EXPECT_EQ(ReportFileOf("b.json")->format, Format::kJson);
  EXPECT_EQ(ReportFileOf("b.md")->format, Format::kMarkdown);
  EXPECT_EQ(ReportFileOf("html")->path, "report.html");
  for (const char* name : {"", ".html", "report", "b.pdf"}) {
    EXPECT_FALSE(ReportFileOf(name)) << name;
  }
}

TEST(ReportFileTest, AFileThatCannotBeWrittenIsAnError) {
  const TemporaryDirectory folder;
  EXPECT_FALSE(WriteWholeFile((folder.path() / "no/such.md").string(), "x"));
  // In the way of the rename.
  fs::create_directory(folder.path() / "taken.md");
  fs::create_directory(folder.path() / "taken.md/x");
  EXPECT_FALSE(WriteWholeFile((folder.path() / "taken.md").string(), "x"));
  EXPECT_FALSE(fs::exists(folder.path() / "taken.md.part"));
}

class KnownSolutionTest : public testing::Test {
 protected:
  void Write(const fs::path& path, const std::string& content) {
    fs::create_directories((base_.path() / path).parent_path());
    ASSERT_TRUE(WriteWholeFile((base_.path() / path).string(), content));
  }
  std::string LaidOut(const std::string& file) {
    return ReadWholeFile((to_.path() / file).string()).value_or("");
  }

  TemporaryDirectory base_;
  TemporaryDirectory to_;
};

TEST_F(KnownSolutionTest, PatchAndOverlayChangeTheReference) {
  Write("sound/a.txt", "one\n");
  Write("sound/b.txt", "two\n");
  Write("over/b.txt", "three\n");
  Write("a.patch", "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+uno\n");
  ASSERT_TRUE(LayOut({.folder = "sound", .patch = "a.patch"}, base_.path(),
                     to_.path()));
  EXPECT_EQ(LaidOut("a.txt"), "uno\n");
  EXPECT_EQ(LaidOut("b.txt"), "two\n");
  ASSERT_TRUE(
      LayOut({.folder = "sound", .overlay = "over"}, base_.path(), to_.path()));
  EXPECT_EQ(LaidOut("a.txt"), "one\n");
  EXPECT_EQ(LaidOut("b.txt"), "three\n");
}

TEST_F(KnownSolutionTest, APatchThatDoesNotApplyIsNamed) {
  Write("sound/a.txt", "other\n");
  Write("a.patch", "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+uno\n");
  const Status done =
      LayOut({.folder = "sound", .patch = "a.patch"}, base_.path(), to_.path());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("a.patch does not apply"));
}

}  // namespace
}  // namespace assay::cli
