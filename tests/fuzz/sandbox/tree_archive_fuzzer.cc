// Unpacks anything into a directory and looks whether something arrived beside
// it.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "sandbox/cell/tree_archive.h"
#include "sandbox/cell/unique_fd.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace assay::sandbox;
  static const std::string outer = [] {
    std::string path = "/tmp/tree-fuzz-XXXXXX";
    return std::string(::mkdtemp(path.data()));
  }();
  const std::string inner = outer + "/in";
  std::filesystem::remove_all(inner);
  std::filesystem::create_directory(inner);
  const UniqueFd directory(::open(inner.c_str(), O_PATH | O_DIRECTORY));
  const UniqueFd archive(::memfd_create("archive", MFD_CLOEXEC));
  // With the magic in front, so that the records are what is tried.
  if (::write(archive.get(), kTreeArchiveMagic.data(),
              kTreeArchiveMagic.size()) < 0 ||
      ::write(archive.get(), data, size) < 0) {
    std::abort();
  }
  (void)UnpackTreeArchive(archive.get(), directory.get());
  std::size_t names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(outer)) {
    (void)entry;
    ++names;
  }
  if (names != 1) std::abort();
  return 0;
}
