// assay-image: unpacks an image of an OCI layout. Runs in a cell that
// sandbox/image/image_cache.h makes for it; nobody else has a use for it.
//
//   assay-image LAYOUT MEDIA-TYPE DIGEST BYTES DIRECTORY
//
// Fills DIRECTORY/root, and DIRECTORY/environment with the image's variables,
// each ended by a NUL. Exit code 1 with a sentence on stderr.

#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <string>

#include "sandbox/image/unpack.h"

namespace {

using assay::sandbox::Descriptor;
using assay::sandbox::UniqueFd;

assay::Status Unpack(const std::string& layout, const Descriptor& image,
                     const std::string& directory) {
  const std::string root = directory + "/root";
  if (::mkdir(root.c_str(), 0755) != 0) {
    return assay::SystemError("make " + root, errno);
  }
  UniqueFd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSAY_ASSIGN_OR_RETURN(
      const auto environment,
      assay::sandbox::UnpackImage(layout, image, std::move(fd), {}));
  std::ofstream out(directory + "/environment", std::ios::binary);
  for (const auto& line : environment) out << line << '\0';
  out.close();
  if (!out) {
    return assay::SystemError("write the image's environment", errno);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  // Names in archives are UTF-8, and libarchive asks the locale.
  ::setlocale(LC_ALL, "C.UTF-8");
  if (argc != 6) {
    std::fputs(
        "assay-image: expected LAYOUT MEDIA-TYPE DIGEST BYTES "
        "DIRECTORY; use assay-sandbox run --root oci:LAYOUT\n",
        stderr);
    return 2;
  }
  Descriptor image = {.media_type = argv[2], .digest = argv[3]};
  const std::string bytes = argv[4];
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), image.bytes);
  const auto done = Unpack(argv[1], image, argv[5]);
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return 1;
}
