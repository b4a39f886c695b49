#include "services/repositories/tree_rules.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "proto/base/utf8.h"
#include "services/repositories/tree_meter.h"

namespace assay::repositories {
namespace {

constexpr std::size_t kMaxProblems = 20;

std::vector<std::string_view> Components(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

// ASCII only: what a case-insensitive file system folds at the least.
std::string FoldCase(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return folded;
}

// HFS+ leaves these code points out when it compares names (U+200C-200F,
// U+202A-202E, U+206A-206F, U+FEFF), so that ".g\u200cit" is `.git` there.
std::string WithoutIgnorable(std::string_view name) {
  std::string kept;
  for (std::size_t i = 0; i < name.size();) {
    const auto byte = [&](std::size_t at) {
      return at < name.size() ? static_cast<unsigned char>(name[at]) : 0U;
    };
    const unsigned code = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    if ((code >= 0xE2808C && code <= 0xE2808F) ||
        (code >= 0xE280AA && code <= 0xE280AE) ||
        (code >= 0xE281AA && code <= 0xE281AF) || code == 0xEFBBBF) {
      i += 3;
    } else {
      kept += name[i++];
    }
  }
  return kept;
}

// True for whatever HFS+ or NTFS may open as `.git`.
bool LooksLikeDotGit(std::string_view name) {
  std::string folded = FoldCase(WithoutIgnorable(name));
  folded = folded.substr(0, folded.find(':'));  // an NTFS stream
  while (!folded.empty() && (folded.back() == ' ' || folded.back() == '.'))
    folded.pop_back();
  return folded == ".git" || folded == "git~1";
}

Status CheckComponent(std::string_view name) {
  if (name.empty()) return InvalidArgument("has an empty component");
  if (name == "." || name == "..")
    return InvalidArgument("has the component \"", name, "\"");
  if (name.size() > 255)
    return InvalidArgument("has a component of more than 255 bytes");
  if (LooksLikeDotGit(name))
    return InvalidArgument("has the component \"", name,
                           "\", which some systems open as .git");
  const bool odd = std::ranges::any_of(name, [](unsigned char c) {
    return c < 0x20 || c == 0x7F || c == '\\' || c == ':';
  });
  if (odd)
    return InvalidArgument(
        "holds a control character, a backslash or a colon, which not every "
        "system can check out");
  return {};
}

// `..` may only lead, and not above the root: then no chain of links can leave
// the tree, because every link stays inside wherever it is read from.
Status CheckLink(const v1::FileTree::File& file) {
  const std::string& target = file.content();
  if (target.empty() || target.front() == '/' || target.size() > kMaxPathBytes)
    return InvalidArgument("is a symbolic link to \"", target.substr(0, 80),
                           "\": expected a relative path inside the tree");
  std::ptrdiff_t depth = std::ranges::count(file.path(), '/');
  bool leading = true;
  for (const std::string_view part : Components(target)) {
    if (part == "..") {
      if (!leading || --depth < 0)
        return InvalidArgument("is a symbolic link to \"", target,
                               "\", which can leave the tree");
      continue;
    }
    leading = false;
    if (LooksLikeDotGit(part))
      return InvalidArgument("is a symbolic link into .git");
  }
  return {};
}

Status CheckFile(const v1::FileTree::File& file) {
  ASSAY_RETURN_IF_ERROR(CheckTreePath(file.path()));
  switch (file.mode()) {
    case 0100644:
    case 0100755:
      break;
    case 0120000:
      return CheckLink(file);
    case 0160000:
      return InvalidArgument(
          "is a submodule: copy its files into the template");
    default:
      return InvalidArgument("has mode ", std::oct, file.mode(),
                             ": expected 100644, 100755 or 120000");
  }
  if (FoldCase(file.path()) == ".gitmodules")
    return InvalidArgument("declares submodules: remove it");
  return {};
}

// Finds names that are one name on a case-insensitive file system, and files
// that are also directories.
class NameIndex {
 public:
  Status Add(const std::string& path) {
    const std::string folded = FoldCase(path);
    for (std::size_t slash = folded.find('/'); slash != std::string::npos;
         slash = folded.find('/', slash + 1)) {
      const std::string prefix = folded.substr(0, slash);
      if (files_.contains(prefix))
        return InvalidArgument("is below \"", path.substr(0, slash),
                               "\", which is a file");
      const auto [it, fresh] =
          directories_.try_emplace(prefix, path.substr(0, slash));
      if (!fresh && it->second != path.substr(0, slash))
        return InvalidArgument("differs from \"", it->second,
                               "\" only in case");
    }
    if (directories_.contains(folded))
      return InvalidArgument("is a file and a directory");
    const auto [it, fresh] = files_.try_emplace(folded, path);
    if (!fresh && it->second == path) return InvalidArgument("is there twice");
    if (!fresh)
      return InvalidArgument("differs from \"", it->second, "\" only in case");
    return {};
  }

 private:
  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> directories_;
};

}  // namespace

Status CheckTreePath(std::string_view path) {
  if (path.empty()) return InvalidArgument("has no name");
  if (path.size() > kMaxPathBytes)
    return InvalidArgument("is longer than ", kMaxPathBytes, " bytes");
  if (!IsUtf8(path)) return InvalidArgument("is not valid UTF-8");
  // As a push is judged, which brings the template's files again.
  if (std::ranges::count(path, '/') > TreeLimits().max_depth)
    return InvalidArgument("is nested more than ", TreeLimits().max_depth,
                           " deep");
  for (const std::string_view part : Components(path))
    ASSAY_RETURN_IF_ERROR(CheckComponent(part));
  return {};
}

Status CheckTemplateFiles(const v1::FileTree& files) {
  if (files.files().empty())
    return InvalidArgument("the template is empty: expected at least one file");
  if (files.files_size() > kMaxTemplateFiles)
    return InvalidArgument("the template has ", files.files_size(),
                           " files: expected at most ", kMaxTemplateFiles);
  NameIndex names;
  std::int64_t bytes = 0;
  std::vector<std::string> problems;
  for (const v1::FileTree::File& file : files.files()) {
    bytes += static_cast<std::int64_t>(file.content().size());
    Status status = CheckFile(file);
    if (status) status = names.Add(file.path());
    if (!status && problems.size() < kMaxProblems)
      problems.push_back("template: " + file.path().substr(0, 200) + " " +
                         status.error().message);
  }
  if (bytes > kMaxTemplateBytes)
    return InvalidArgument("the template has ", bytes,
                           " bytes: expected at most ", kMaxTemplateBytes);
  if (problems.empty()) return {};
  std::string text;
  for (const std::string& problem : problems)
    text += (text.empty() ? "" : "\n") + problem;
  return InvalidArgument(text);
}

}  // namespace assay::repositories
