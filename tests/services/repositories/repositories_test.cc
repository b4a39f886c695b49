#include "services/repositories/repositories.h"

#include <gmock/gmock.h>

#include "tests/services/repositories/git_fixture.h"
#include "tests/testing/event_loop.h"

namespace assay::repositories {
namespace {

class RepositoriesTest : public GitFixture {
 protected:
  template <class T>
  T Await(boost::asio::awaitable<T> task) {
    return loop_.Await(std::move(task));
  }

  // Outlives the pool, whose threads are still in post() when a result is here.
  testing::EventLoop loop_;
  const std::unique_ptr<Repositories> repositories_ =
      *Repositories::Open({.root = root_});
};

TEST_F(RepositoriesTest, GoesOnWhereItsCallerWas) {
  v1::FileTree tree;
  AddFile(tree, "README.md", "x");
  const std::string base = *Await(repositories_->CreateTemplate(tree));
  const RepositoryId id = RepositoryId::Random();
  ASSERT_TRUE(Await(repositories_->CreateRepository(id, base)));
  EXPECT_EQ(Await(repositories_->ReadCommit(id, base))->subject, "Template");

  const auto pack = Await(repositories_->WritePack(id, base));
  const auto again = Await(repositories_->WritePack(id, base));
  ASSERT_TRUE(pack && again);
  EXPECT_EQ(pack->digest, again->digest);
  repositories_->ForgetPack(*pack);
  EXPECT_FALSE(std::filesystem::exists(pack->path));
  EXPECT_TRUE(std::filesystem::exists(again->path));
}

TEST_F(RepositoriesTest, UnknownAndMalformedIdsAreNotFound) {
  for (const char* id : {"rep_aaaaaaaaaaaaaaaaaaaa", "../../etc", "",
                         "rep_aaaaaaaaaaaaaaaa/../"}) {
    const auto refs = Await(repositories_->ReadRefs(RepositoryId(id)));
    ASSERT_FALSE(refs) << id;
    EXPECT_EQ(refs.error().code, Code::kNotFound) << id;
  }
}

TEST_F(RepositoriesTest, StartRemovesWhatACrashLeft) {
  std::filesystem::create_directories(root_ / "templates/tmp-x/objects");
  std::ofstream(root_ / "packs/left.pack") << "x";
  ASSERT_TRUE(Repositories::Open({.root = root_}));
  EXPECT_FALSE(std::filesystem::exists(root_ / "templates/tmp-x"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "packs/left.pack"));
}

}  // namespace
}  // namespace assay::repositories
