#include "services/repositories/repositories.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

#include "tests/services/repositories/git_fixture.h"

namespace assay::repositories {
namespace {

namespace asio = boost::asio;

// Runs a coroutine to its end on this thread, as the strand does.
template <class T>
Expected<T> Await(asio::awaitable<Expected<T>> work) {
  asio::io_context strand;
  std::optional<Expected<T>> result;
  asio::co_spawn(strand, std::move(work),
                 [&](std::exception_ptr error, Expected<T> value) {
                   if (error) std::rethrow_exception(error);
                   EXPECT_TRUE(strand.get_executor().running_in_this_thread());
                   result = std::move(value);
                 });
  strand.run();
  return *std::move(result);
}

class RepositoriesTest : public GitFixture {
 protected:
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
