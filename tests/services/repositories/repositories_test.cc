#include "services/repositories/repositories.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "tests/services/repositories/git_fixture.h"
#include "tests/testing/flush_log.h"

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
  std::filesystem::create_directories(root_ / "attempts/rep_x.git.gone/refs");
  ASSERT_TRUE(Repositories::Open({.root = root_}));
  EXPECT_FALSE(std::filesystem::exists(root_ / "templates/tmp-x"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "packs/left.pack"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "attempts/rep_x.git.gone"));
}

// As git leaves them that was killed. Each would stop every later push.
TEST_F(RepositoriesTest, APushBeginsWithoutWhatAKilledGitLeft) {
  const RepositoryId id = RepositoryId::Random();
  ASSERT_TRUE(Await(repositories_->CreateRepository(id, MakeTemplate())));
  const auto path = *repositories_->Path(id);
  const auto quarantine = path / "objects/tmp_objdir-incoming-x";
  std::filesystem::create_directories(quarantine / "pack");
  std::filesystem::create_directories(path / "refs/heads");
  const std::vector files{path / "HEAD.lock", path / "packed-refs.lock",
                          path / "tmp_ref-x", path / "refs/heads/main.lock",
                          path / "objects/pack/tmp_pack_x"};
  for (const auto& file : files) std::ofstream(file) << "x";
  ASSERT_TRUE(Await(repositories_->Prepare(id)));
  EXPECT_FALSE(std::filesystem::exists(quarantine));
  for (const auto& file : files)
    EXPECT_FALSE(std::filesystem::exists(file)) << file;
  EXPECT_EQ(Await(repositories_->ReadRefs(id))->size(), 1);
}

// What is acknowledged is on the disk, with its name.
TEST_F(RepositoriesTest, TemplatesRepositoriesAndRefsAreFlushed) {
  const testing::FlushLog log;
  const std::string base = MakeTemplate();
  const auto store = templates_.Path(base);
  EXPECT_TRUE(log.HasName(store));
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(store)) {
    EXPECT_TRUE(log.HasName(entry)) << entry;
    if (!entry.is_regular_file()) continue;
    EXPECT_TRUE(log.HasContent(entry)) << entry;
    ++files;
  }
  EXPECT_GT(files, 6);

  const RepositoryId id = RepositoryId::Random();
  ASSERT_TRUE(Await(repositories_->CreateRepository(id, base)));
  const auto path = *repositories_->Path(id);
  for (const char* name : {"HEAD", "config", "packed-refs"})
    EXPECT_TRUE(log.HasName(path / name)) << name;

  ASSERT_TRUE(Await(repositories_->WriteSubmissionRef(id, 1, base)));
  EXPECT_TRUE(log.HasContent(path / "refs/submissions/1"));
  EXPECT_TRUE(log.HasName(path / "refs/submissions/1"));
}

}  // namespace
}  // namespace assay::repositories
