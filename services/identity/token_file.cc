#include "services/identity/token_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace assay::identity {

std::string ReadTokenFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const bool is_token =
      line.size() == 56 && line.starts_with("asy_") &&
      line.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz", 4) ==
          std::string::npos;
  return is_token ? line : "";
}

Status WriteTokenFile(const std::filesystem::path& path,
                      std::string_view secret) {
  const std::filesystem::path draft = path.string() + ".new";
  const int fd =
      ::open(draft.c_str(),
             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return SystemError("create " + draft.string(), errno);
  const std::string line = std::string(secret) + "\n";
  const bool written = ::write(fd, line.data(), line.size()) ==
                           static_cast<ssize_t>(line.size()) &&
                       ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) return SystemError("write " + draft.string(), error);
  if (::rename(draft.c_str(), path.c_str()) != 0)
    return SystemError("rename " + draft.string(), errno);
  const int directory =
      ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return SystemError("open the data directory", errno);
  ::fsync(directory);
  ::close(directory);
  return {};
}

}  // namespace assay::identity
