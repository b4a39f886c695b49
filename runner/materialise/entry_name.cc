#include "runner/materialise/entry_name.h"

#include <strings.h>

namespace assay::materialise {

Status CheckEntryName(std::string_view name, std::string_view directory) {
  const auto refuse = [&](std::string_view why) {
    return InvalidArgument(
        "the commit has an entry named \"", Printable(name), "\" in ",
        directory.empty() ? "its top directory" : Printable(directory), ": ",
        why, "; remove it and push again");
  };
  if (name.empty()) return refuse("a name must not be empty");
  if (name == "." || name == "..")
    return refuse("it would leave its directory");
  if (name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos)
    return refuse("a name must not hold a slash or a NUL");
  if (name.size() > 255) return refuse("a name has at most 255 bytes");
  const std::string text(name);
  if (strcasecmp(text.c_str(), ".git") == 0 ||
      strcasecmp(text.c_str(), "git~1") == 0)
    return refuse("git keeps that name for repositories");
  return {};
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty()) path += '/';
  return path.append(name);
}

std::string Printable(std::string_view text) {
  constexpr std::size_t kShown = 100;
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char c : text.substr(0, kShown)) {
    if (c >= 0x20 && c < 0x7f) {
      out += static_cast<char>(c);
    } else {
      out += "\\x";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  if (text.size() > kShown) out += "...";
  return out;
}

}  // namespace assay::materialise
