#include "services/maintenance/fsck.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <fstream>

#include "tests/services/coordinator/server_fixture.h"
#include "tests/testing/matchers.h"

// Damage is planted in an installation with one push and one submission.

namespace assay::testing {
namespace {

namespace fs = std::filesystem;
using maintenance::Finding;
using maintenance::Findings;
using maintenance::Fsck;
using maintenance::FsckReport;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FsckTest : public ServerFixture {
 protected:
  FsckTest() {
    MakeAssignment();
    attempt_ = MakeAttempt();
    Clone(attempt_);
    base_ = Git("-C work rev-parse HEAD");
    commit_ = Commit("a", "1");
    Git("-C work push -q origin HEAD:main");
    v1::CreateSubmissionRequest submit;
    submit.set_attempt(attempt_.name);
    v1::CreateSubmissionResponse submitted;
    if (!v1::SubmissionService::NewStub(channel())
             ->CreateSubmission(As(attempt_.token).get(), submit, &submitted)
             .ok())
      throw std::runtime_error("cannot submit");
    path_ = RepositoryPath(attempt_);
  }

  FsckReport Check(bool mend = false) {
    auto report = Fsck({.data_dir = options_.data_dir, .mend = mend});
    if (!report) throw std::runtime_error(report.error().message);
    return *std::move(report);
  }
  // What is broken, in a sentence each.
  static auto Says(Finding::Kind kind, const std::string& what) {
    return Contains(AllOf(Field(&Finding::kind, kind),
                          Field(&Finding::what, HasSubstr(what))));
  }
  // Broken, and mended with the server stopped; then all is well.
  void ExpectMended(const std::string& what) {
    EXPECT_THAT(Check().findings, Says(Finding::Kind::kBroken, what));
    Stop();
    EXPECT_THAT(Check(true).findings, Says(Finding::Kind::kMended, what));
    EXPECT_THAT(Check().findings, IsEmpty());
    Start();
    EXPECT_EQ(Git("-C " + path_.string() + " rev-parse main"), commit_);
  }
  fs::path OnlyFile(const fs::path& directory, const std::string& extension) {
    for (const auto& entry : fs::recursive_directory_iterator(directory))
      if (entry.is_regular_file() && entry.path().extension() == extension)
        return entry.path();
    throw std::runtime_error("no file in " + directory.string());
  }
  void Sql(const std::string& statement) {
    sqlite3* db = nullptr;
    sqlite3_open((options_.data_dir / "store.db").c_str(), &db);
    sqlite3_busy_timeout(db, 5'000);
    EXPECT_EQ(sqlite3_exec(db, statement.c_str(), nullptr, nullptr, nullptr),
              SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  static void Flip(const fs::path& path, int from_end) {
    fs::permissions(path, fs::perms::owner_all);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-from_end, std::ios::end);
    const char byte = static_cast<char>(file.peek() ^ 0x40);
    file.seekp(-from_end, std::ios::end);
    file.put(byte);
  }

  StartedAttempt attempt_;
  std::string base_, commit_;
  fs::path path_;
};

TEST_F(FsckTest, SoundInstallationIsSoundWhileItServes) {
  const FsckReport report = Check();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_FALSE(report.broken());
  EXPECT_EQ(report.repositories, 1);
  EXPECT_EQ(report.blobs, 2);
  EXPECT_GT(report.audit_records, 0);
}

TEST_F(FsckTest, TagsAreWhatWasPushedAndWhatTheyName) {
  v1::UpdateAssignmentRequest update;
  update.set_name("assignments/task");
  update.set_expected_version(1);
  update.mutable_spec()->set_title("Task");
  update.mutable_spec()->mutable_duration()->set_seconds(3'600);
  update.mutable_spec()->set_allow_tags(true);
  v1::UpdateAssignmentResponse updated;
  ASSERT_TRUE(v1::AssignmentService::NewStub(channel())
                  ->UpdateAssignment(As(AdminToken()).get(), update, &updated)
                  .ok());
  const StartedAttempt other = MakeAttempt();
  Git("clone -q " + other.private_url + " other");
  Git("-C other commit -q --allow-empty -m x");
  Git("-C other push -q origin HEAD:main");
  Git("-C other commit -q --allow-empty -m aside");
  Git("-C other tag -a v1 -m One");
  Git("-C other push -q origin v1");
  EXPECT_THAT(Check().findings, IsEmpty());
  Git("-C " + RepositoryPath(other).string() + " update-ref -d refs/tags/v1");
  path_ = RepositoryPath(other);
  commit_ = Git("-C " + path_.string() + " rev-parse main");
  ExpectMended("refs/tags/v1 is nowhere");
}

TEST_F(FsckTest, NothingIsMendedWhileItServes) {
  EXPECT_THAT(Fsck({.data_dir = options_.data_dir, .mend = true}),
              FailsWith(Code::kFailedPrecondition, "another assayd"));
  EXPECT_THAT(Fsck({.data_dir = directory_.path()}),
              FailsWith(Code::kNotFound, "no store"));
}

TEST_F(FsckTest, BranchThatWasMovedBackIsPutWhereItsLastPushWas) {
  Git("-C " + path_.string() + " update-ref refs/heads/main " + base_);
  ExpectMended("its last push was " + commit_);
}

TEST_F(FsckTest, RefOfASubmissionIsWrittenAgain) {
  fs::remove(path_ / "refs/submissions/1");
  ExpectMended("refs/submissions/1 is missing");
}

TEST_F(FsckTest, FilesOfTheTemplateAreMadeAgain) {
  Stop();
  fs::remove(path_ / "HEAD");
  fs::remove(path_ / "objects/info/alternates");
  EXPECT_THAT(Check().findings,
              Says(Finding::Kind::kBroken, "HEAD is missing"));
  Check(true);
  EXPECT_THAT(Check().findings, IsEmpty());
  Start();
}

TEST_F(FsckTest, LeftoversAreMendedSilently) {
  Stop();
  std::ofstream(path_ / "packed-refs.lock") << "x";
  Check(true);
  EXPECT_FALSE(fs::exists(path_ / "packed-refs.lock"));
  Start();
}

TEST_F(FsckTest, DamagedObjectIsNamedAndNotMended) {
  Stop();
  const fs::path pack = OnlyFile(path_ / "objects/pack", ".pack");
  for (const int from_end : {30, 40, 60, 80}) Flip(pack, from_end);
  EXPECT_TRUE(Check().broken());
  EXPECT_TRUE(Check(true).broken());
  for (const int from_end : {30, 40, 60, 80}) Flip(pack, from_end);
  EXPECT_FALSE(Check().broken());
  Start();
}

TEST_F(FsckTest, RepositoryThatIsGoneIsNamed) {
  Stop();
  fs::rename(path_, directory_.path() / "aside");
  EXPECT_THAT(Check().findings, Says(Finding::Kind::kBroken, "is missing"));
  fs::rename(directory_.path() / "aside", path_);
  Start();
}

TEST_F(FsckTest, BlobThatIsMissingOrDamagedIsNamedWithItsUser) {
  fs::path blob;
  for (const auto& entry :
       fs::recursive_directory_iterator(options_.data_dir / "blobs"))
    if (entry.is_regular_file()) blob = entry.path();
  Flip(blob, 1);
  EXPECT_THAT(Check().findings, Says(Finding::Kind::kBroken,
                                     "assignments/task, version 1 no longer"));
  fs::remove(blob);
  EXPECT_THAT(Check().findings, Says(Finding::Kind::kBroken, "is missing"));
}

TEST_F(FsckTest, AuditRecordThatWasChangedIsFound) {
  Sql("UPDATE audit_log SET detail = 'nothing' WHERE sequence = 2");
  EXPECT_THAT(Check().findings,
              Says(Finding::Kind::kBroken, "the log was changed or cut"));
}

TEST_F(FsckTest, AcceptedPushWhoseCommitIsNotThereIsFound) {
  Sql("UPDATE pushes SET new_commit = '" + std::string(40, 'b') + "'");
  EXPECT_THAT(Check().findings,
              Says(Finding::Kind::kBroken, "was accepted and cannot be read"));
}

TEST_F(FsckTest, RowWithoutWhatItBelongsToIsFound) {
  Sql("PRAGMA foreign_keys = OFF; UPDATE pushes SET attempt = 'att_nobody'");
  EXPECT_THAT(Check().findings,
              Says(Finding::Kind::kBroken, "a row of pushes belongs to"));
}

TEST_F(FsckTest, TipThatTheStoreDoesNotKnowIsLeftToTheServer) {
  Stop();
  const std::string next = Commit("b", "2");
  Git("-C work push -q " + path_.string() + " HEAD:main");
  const FsckReport report = Check(true);
  EXPECT_FALSE(report.broken());
  EXPECT_THAT(report.findings,
              Says(Finding::Kind::kNote, "assayd records it when it starts"));
  EXPECT_EQ(Git("-C " + path_.string() + " rev-parse main"), next);
  Start();
}

}  // namespace
}  // namespace assay::testing
