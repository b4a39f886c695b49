// What a candidate pushes. The first byte says how the rest is meant: as a pack
// but for its checksum, or as the tree of a commit in a sound pack. What is
// accepted of it is an archive that the cell's own reader takes apart.

#include <fcntl.h>
#include <git2.h>
#include <openssl/sha.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "runner/materialise/commit_walk.h"
#include "runner/materialise/pack_index.h"
#include "sandbox/cell/tree_archive.h"

namespace {

using assay::materialise::TreeLimits;

constexpr int kCommit = 1;
constexpr int kTree = 2;
constexpr int kBlob = 3;

std::string IdOf(std::string_view content, git_object_t type) {
  git_oid oid;
  if (git_odb_hash(&oid, content.data(), content.size(), type) != 0) abort();
  return assay::materialise::OidText(oid);
}

std::string Entry(int type, std::string_view content) {
  std::size_t size = content.size();
  std::string entry;
  auto byte = static_cast<unsigned>((type << 4) | (size & 15));
  for (size >>= 4; size > 0; size >>= 7) {
    entry += static_cast<char>(byte | 128);
    byte = static_cast<unsigned>(size & 127);
  }
  entry += static_cast<char>(byte);
  uLongf length = compressBound(content.size());
  std::string packed(length, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &length,
            reinterpret_cast<const Bytef*>(content.data()), content.size(), 1);
  return entry + packed.substr(0, length);
}

std::string WithChecksum(std::string pack) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(pack.data()), pack.size(),
       digest);
  return pack.append(reinterpret_cast<const char*>(digest), sizeof digest);
}

// A folder of its own, gone afterwards.
struct Scratch {
  Scratch() {
    if (mkdtemp(path.data()) == nullptr) abort();
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string path = "/tmp/assay-pack-fuzzer-XXXXXX";
};

int FileOf(std::string_view content) {
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, content.data(), content.size()) !=
                    static_cast<ssize_t>(content.size())) {
    abort();
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

void Take(const std::string& pack, const std::string& commit) {
  const TreeLimits limits{.entries = 100,
                          .depth = 8,
                          .file_bytes = 1 << 16,
                          .total_bytes = 1 << 18,
                          .objects = 100,
                          .pack_bytes = 1 << 18};
  const Scratch scratch;
  const int fd = FileOf(pack);
  {
    const auto repository =
        assay::materialise::OpenPack(fd, scratch.path, limits);
    if (repository) {
      const int out = FileOf("");
      assay::sandbox::TreeArchiveWriter archive(out);
      if (assay::materialise::WalkCommit(repository->get(), commit, limits,
                                         archive) &&
          archive.Finish()) {
        const Scratch unpacked;
        const int folder = open(unpacked.path.c_str(), O_DIRECTORY | O_CLOEXEC);
        lseek(out, 0, SEEK_SET);
        if (!assay::sandbox::UnpackTreeArchive(out, folder)) abort();
        close(folder);
      }
      close(out);
    }
  }
  close(fd);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const int kReady = git_libgit2_init();
  if (kReady < 0 || size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  const std::string header("PACK\0\0\0\2", 8);
  const std::string blob = "x";
  // A byte of the input that is no id is followed by that of the blob, so that
  // entries lead somewhere.
  std::string tree;
  for (const char c : rest) {
    tree += c;
    if (c == '\0') {
      git_oid oid;
      git_odb_hash(&oid, blob.data(), blob.size(), GIT_OBJECT_BLOB);
      tree.append(reinterpret_cast<const char*>(oid.id), sizeof oid.id);
    }
  }
  const std::string commit = "tree " + IdOf(tree, GIT_OBJECT_TREE) +
                             "\nauthor a <a> 1 +0000\n"
                             "committer a <a> 1 +0000\n\nx\n";
  const std::string id = IdOf(commit, GIT_OBJECT_COMMIT);
  if (data[0] % 2 == 0) {
    Take(WithChecksum(header + std::string(rest)), id);
  } else {
    Take(WithChecksum(header + std::string("\0\0\0\3", 4) + Entry(kBlob, blob) +
                      Entry(kTree, tree) + Entry(kCommit, commit)),
         id);
  }
  return 0;
}
