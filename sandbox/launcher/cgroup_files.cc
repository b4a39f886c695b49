#include "sandbox/launcher/cgroup_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace assay::sandbox {
namespace {

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t value = 0;
  const auto result =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

std::string ReadSmallFile(int directory, const char* name) {
  UniqueFd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  char buffer[4096];
  const ssize_t n = ::read(fd.get(), buffer, sizeof(buffer));
  return n > 0 ? std::string(buffer, static_cast<std::size_t>(n))
               : std::string();
}

bool WriteSmallFile(int directory, const char* name, std::string_view value) {
  UniqueFd fd(::openat(directory, name, O_WRONLY | O_CLOEXEC));
  if (!fd) return false;
  return ::write(fd.get(), value.data(), value.size()) ==
         static_cast<ssize_t>(value.size());
}

bool WriteSmallFile(int directory, const char* name, std::int64_t value) {
  return WriteSmallFile(directory, name, std::to_string(value));
}

std::optional<std::int64_t> ReadNumber(int directory, const char* name) {
  return ParseNumber(ReadSmallFile(directory, name));
}

std::optional<std::int64_t> ReadField(int directory, const char* name,
                                      std::string_view key) {
  return FindField(ReadSmallFile(directory, name), key);
}

std::optional<std::int64_t> FindField(std::string_view content,
                                      std::string_view key) {
  std::string_view rest = content;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    if (line.size() > key.size() && line.starts_with(key) &&
        line[key.size()] == ' ') {
      return ParseNumber(line.substr(key.size() + 1));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

UniqueFd MakeDirectory(int parent, const char* name) {
  if (::mkdirat(parent, name, 0755) != 0 && errno != EEXIST) return UniqueFd();
  return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace assay::sandbox
