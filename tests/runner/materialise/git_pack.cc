#include "tests/runner/materialise/git_pack.h"

#include <fcntl.h>

#include <algorithm>
#include <stdexcept>

namespace assay::materialise {
namespace {

void Require(int code, const char* what) {
  if (code == 0) return;
  const git_error* last = git_error_last();
  throw std::runtime_error(std::string(what) + ": " +
                           (last != nullptr ? last->message : "?"));
}

}  // namespace

GitPack::GitPack(const std::filesystem::path& directory)
    : directory_(directory) {
  git_libgit2_init();
  Require(git_repository_init(&repository_, (directory / "repo").c_str(), 1),
          "init");
  Require(git_repository_odb(&odb_, repository_), "odb");
}

GitPack::~GitPack() {
  git_odb_free(odb_);
  git_repository_free(repository_);
  git_libgit2_shutdown();
}

git_oid GitPack::Write(git_object_t type, std::string_view bytes) {
  git_oid oid;
  Require(git_odb_write(&oid, odb_, bytes.data(), bytes.size(), type), "write");
  written_.push_back(oid);
  return oid;
}

git_oid GitPack::Blob(std::string_view content) {
  return Write(GIT_OBJECT_BLOB, content);
}

git_oid GitPack::Tree(const std::vector<Entry>& entries) {
  std::string bytes;
  for (const Entry& entry : entries) {
    bytes += entry.mode + " " + entry.name + '\0';
    bytes.append(reinterpret_cast<const char*>(entry.oid.id), GIT_OID_RAWSZ);
  }
  return Write(GIT_OBJECT_TREE, bytes);
}

std::string GitPack::Commit(const git_oid& tree) {
  char hex[GIT_OID_HEXSZ + 1];
  git_oid_tostr(hex, sizeof hex, &tree);
  const std::string who = "A <a@example.test> 1767225600 +0000";
  const git_oid oid =
      Write(GIT_OBJECT_COMMIT, "tree " + std::string(hex) + "\nauthor " + who +
                                   "\ncommitter " + who + "\n\nwork\n");
  return git_oid_tostr(hex, sizeof hex, &oid);
}

void GitPack::Delete(const git_oid& oid) {
  std::erase_if(written_, [&](const git_oid& other) {
    return git_oid_equal(&oid, &other) != 0;
  });
}

sandbox::UniqueFd GitPack::Finish() {
  git_packbuilder* builder = nullptr;
  Require(git_packbuilder_new(&builder, repository_), "packbuilder");
  for (const git_oid& oid : written_)
    Require(git_packbuilder_insert(builder, &oid, nullptr), "insert");
  git_buf bytes = GIT_BUF_INIT;
  Require(git_packbuilder_write_buf(&bytes, builder), "write pack");
  const std::filesystem::path file = directory_ / "test.pack";
  sandbox::UniqueFd fd(
      open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (write(fd.get(), bytes.ptr, bytes.size) !=
      static_cast<ssize_t>(bytes.size))
    throw std::runtime_error("write pack file");
  lseek(fd.get(), 0, SEEK_SET);
  git_buf_dispose(&bytes);
  git_packbuilder_free(builder);
  return fd;
}

}  // namespace assay::materialise
