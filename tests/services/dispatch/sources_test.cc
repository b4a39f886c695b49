#include "services/dispatch/sources.h"

#include <gmock/gmock.h>

#include "services/repositories/repositories.h"
#include "services/storage/blobs/blob_store.h"
#include "services/storage/blobs/local.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "services/storage/store.h"
#include "tests/services/repositories/git_fixture.h"
#include "tests/testing/event_loop.h"

namespace assay::dispatch {
namespace {

namespace fs = std::filesystem;

class SourcesTest : public repositories::GitFixture {
 protected:
  SourcesTest() {
    v1::FileTree tree;
    repositories::AddFile(tree, "README.md", "x");
    commit_ = *loop_.Await(repositories_->CreateTemplate(tree));
    storage::AssignmentRecord assignment;
    assignment.id = AssignmentId("orders");
    EXPECT_TRUE(
        loop_.Await(store_->Write([assignment](storage::Transaction& tx) {
          return tx.assignments.Create(assignment);
        })));
    for (const char* id : {"att_1", "att_2"}) {
      storage::AttemptRecord attempt;
      attempt.id = AttemptId(id);
      attempt.assignment = AssignmentId("orders");
      attempt.repository = RepositoryId::Random();
      EXPECT_TRUE(loop_.Await(
          repositories_->CreateRepository(attempt.repository, commit_)));
      EXPECT_TRUE(
          loop_.Await(store_->Write([attempt](storage::Transaction& tx) {
            return tx.attempts.Create(attempt);
          })));
    }
  }

  Expected<SharedContent> Pack(const char* attempt) {
    return loop_.Await(sources_.pack(AttemptId(attempt), commit_));
  }
  std::ptrdiff_t CountPackFiles() const {
    return std::distance(fs::directory_iterator(root_ / "packs"), {});
  }

  testing::EventLoop loop_;
  const std::unique_ptr<storage::Store> store_ =
      *storage::OpenSqlite(root_ / "store.db", {.readers = 1});
  const std::unique_ptr<storage::BlobStore> blobs_ =
      *storage::OpenLocalBlobs(root_ / "blobs");
  const std::unique_ptr<repositories::Repositories> repositories_ =
      *repositories::Repositories::Open({.root = root_});
  ContentSources sources_ =
      MakeContentSources(*store_, *blobs_, *repositories_);
  std::string commit_;
};

TEST_F(SourcesTest, LeasesOfACommitShareItsPackForAsLongAsOneLives) {
  auto one = *Pack("att_1");
  ASSERT_TRUE(one);
  auto other = *Pack("att_1");
  EXPECT_EQ(one, other);
  EXPECT_EQ(CountPackFiles(), 1);
  one.reset();
  EXPECT_EQ(CountPackFiles(), 1);
  other.reset();
  EXPECT_EQ(CountPackFiles(), 0);
  EXPECT_EQ((*Pack("att_1"))->digest.size(), 64);
}

TEST_F(SourcesTest, LeasesThatArePreparedAtOnceLeaveNoFileBehind) {
  SharedContent one;
  loop_.Spawn([](auto pack, SharedContent& to) -> rpc::Async<void> {
    to = *co_await std::move(pack);
    co_return Status{};
  }(sources_.pack(AttemptId("att_1"), commit_), one));
  const SharedContent other = *Pack("att_1");
  loop_.RunUntil([&] { return one != nullptr; });
  EXPECT_EQ(one, other);
  EXPECT_EQ(CountPackFiles(), 1);
}

TEST_F(SourcesTest, ThePackOfAnotherRepositoryIsAnother) {
  const auto one = *Pack("att_1");
  const auto other = *Pack("att_2");
  EXPECT_NE(one->file, other->file);
}

TEST_F(SourcesTest, LeasesOfAPlanShareItsBytes) {
  const std::string digest = *loop_.Await(blobs_->Put("plan"));
  auto one = *loop_.Await(sources_.plan(digest));
  EXPECT_EQ(one, *loop_.Await(sources_.plan(digest)));
  EXPECT_EQ(one->bytes, "plan");
}

}  // namespace
}  // namespace assay::dispatch
