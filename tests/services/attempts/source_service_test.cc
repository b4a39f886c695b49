#include "services/attempts/source_service.h"

#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using repositories::CommitInfo;
using repositories::FileDelta;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

const std::string kCommit(40, 'b');

// What was asked of the repositories is kept; what they answer is made up.
class SourceServiceTest : public testing::ServiceTest {
 protected:
  SourceServiceTest() {
    service_.Register(assay_.parts().registry);
    assay_.MakeAssignment();
    candidate_ = assay_.Begin();
  }
  Expected<v1::GetDiffResponse> Diff(const rpc::Caller& caller,
                                     const std::string& attempt,
                                     const std::string& new_commit = kCommit,
                                     const std::string& old_commit = "") {
    v1::GetDiffRequest request;
    request.set_attempt(attempt);
    request.set_old_commit(old_commit);
    request.set_new_commit(new_commit);
    return assay_.Call<v1::GetDiffResponse>(caller, "SourceService/GetDiff",
                                            request);
  }
  Expected<v1::ListNotesResponse> Notes(const rpc::Caller& caller) {
    v1::ListNotesRequest request;
    request.set_attempt(Name());
    request.set_commit(kCommit);
    return assay_.Call<v1::ListNotesResponse>(caller, "SourceService/ListNotes",
                                              request);
  }
  Expected<v1::ListCommitsResponse> Commits(const rpc::Caller& caller,
                                            int limit = 0) {
    v1::ListCommitsRequest request;
    request.set_attempt(Name());
    request.set_commit(kCommit);
    request.set_limit(limit);
    return assay_.Call<v1::ListCommitsResponse>(
        caller, "SourceService/ListCommits", request);
  }
  std::string Name() const { return "attempts/" + candidate_.attempt.str(); }

  Async<repositories::Diff> ReadDiff(RepositoryId repository,
                                     std::string old_commit, std::string) {
    asked_ = repository;
    old_commit_ = old_commit;
    repositories::Diff diff;
    diff.files.push_back({.change = FileDelta::Change::kRenamed,
                          .old_path = "a",
                          .new_path = "b\xff\n",
                          .added_lines = 2,
                          .patch = "+\xff\n"});
    diff.added_lines = 2;
    co_return diff;
  }
  Async<std::vector<CommitInfo>> ReadHistory(RepositoryId repository,
                                             std::string commit, int limit) {
    asked_ = repository;
    limit_ = limit;
    co_return std::vector<CommitInfo>{
        {.commit = commit, .subject = "Begin", .author_name = "Ada"}};
  }

  Async<std::vector<repositories::Note>> ReadNotes(RepositoryId repository,
                                                   std::string before,
                                                   std::string) {
    asked_ = repository;
    old_commit_ = before;
    std::vector<repositories::Note> notes;
    notes.push_back({.path = "DECISIONS\n.md", .content = "\xff why\n"});
    notes.push_back({.path = "README.md", .of_template = true});
    co_return notes;
  }

  RepositoryId asked_;
  std::string old_commit_;
  int limit_ = 0;
  SourceService service_{
      *assay_.parts().store,
      {.read_diff =
           [this](RepositoryId id, std::string before, std::string after) {
             return ReadDiff(id, before, after);
           },
       .read_history =
           [this](RepositoryId id, std::string commit, int limit) {
             return ReadHistory(id, commit, limit);
           },
       .read_notes =
           [this](RepositoryId id, std::string before, std::string commit) {
             return ReadNotes(id, before, commit);
           }}};
  rpc::Caller candidate_;
};

TEST_F(SourceServiceTest, ADiffIsAgainstTheTemplateUnlessItSaysOtherwise) {
  const auto diff = Diff(Installation::Admin(), Name());
  ASSERT_THAT(diff, IsOk());
  EXPECT_EQ(asked_, assay_.RepositoryOf(candidate_));
  const auto& made = assay_.repositories.repositories;
  EXPECT_EQ(old_commit_, made.at(assay_.RepositoryOf(candidate_)));
  EXPECT_EQ(diff->old_commit(), old_commit_);
  EXPECT_EQ(diff->added_lines(), 2);
  ASSERT_THAT(
      Diff(Installation::Admin(), Name(), kCommit, std::string(40, 'a')),
      IsOk());
  EXPECT_EQ(old_commit_, std::string(40, 'a'));
}

TEST_F(SourceServiceTest, NamesAreMadeSafeAndBytesAreKept) {
  const auto diff = Diff(candidate_, "attempts/me");
  ASSERT_THAT(diff, IsOk());
  EXPECT_EQ(diff->files(0).new_path(), "b\uFFFD\uFFFD");
  EXPECT_EQ(diff->files(0).patch(), "+\xff\n");
  EXPECT_EQ(diff->files(0).kind(), v1::FileChange::KIND_RENAMED);
}

TEST_F(SourceServiceTest, ReviewersDoNotLearnWhoseWorkItIs) {
  EXPECT_EQ(Commits(Installation::Admin())->commits(0).author_name(), "Ada");
  const auto blind = Commits(Installation::As(v1::ROLE_REVIEWER));
  ASSERT_THAT(blind, IsOk());
  EXPECT_EQ(blind->commits(0).author_name(), "");
  EXPECT_EQ(blind->commits(0).subject(), "Begin");
}

TEST_F(SourceServiceTest, NotesAreToldFromTheTemplates) {
  const auto notes = Notes(Installation::As(v1::ROLE_REVIEWER));
  ASSERT_THAT(notes, IsOk());
  const auto& made = assay_.repositories.repositories;
  EXPECT_EQ(old_commit_, made.at(assay_.RepositoryOf(candidate_)));
  EXPECT_EQ(notes->notes(0).path(), "DECISIONS\uFFFD.md");
  EXPECT_EQ(notes->notes(0).content(), "\xff why\n");
  EXPECT_TRUE(notes->notes(1).of_template());
}

TEST_F(SourceServiceTest, NobodyReadsAnotherCandidatesCode) {
  const rpc::Caller other = assay_.Begin();
  EXPECT_THAT(Diff(other, Name()), FailsWith(Code::kNotFound));
  EXPECT_THAT(Commits(other), FailsWith(Code::kNotFound));
  EXPECT_THAT(Notes(other), FailsWith(Code::kNotFound));
  EXPECT_EQ(asked_, RepositoryId());
}

TEST_F(SourceServiceTest, BeforeTheStartThereIsNothingToRead) {
  const rpc::Caller waiting = assay_.Accept();
  EXPECT_THAT(Diff(waiting, "attempts/me"),
              FailsWith(Code::kFailedPrecondition, "has not started"));
}

TEST_F(SourceServiceTest, ACommitIsNamedInFull) {
  EXPECT_THAT(Diff(candidate_, "attempts/me", "HEAD"),
              FailsWith(Code::kInvalidArgument, "40 lower-case hex"));
  EXPECT_THAT(Diff(candidate_, "attempts/me", kCommit, "--output=/etc/x"),
              FailsWith(Code::kInvalidArgument, "old_commit"));
  EXPECT_THAT(Commits(candidate_, 501),
              FailsWith(Code::kInvalidArgument, "501"));
  ASSERT_THAT(Commits(candidate_), IsOk());
  EXPECT_EQ(limit_, 100);
}

}  // namespace
}  // namespace assay::attempts
