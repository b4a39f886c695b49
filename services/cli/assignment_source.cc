#include "services/cli/assignment_source.h"

#include <cctype>
#include <fstream>
#include <sstream>

#include "services/cli/assignment_file.h"
#include "services/cli/file_tree.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

Expected<std::string> ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) {
    return InvalidArgument(path.string(), " cannot be read");
  }
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// A file that may be absent under its usual name, but not when it was named.
Expected<std::string> ReadNamed(const fs::path& dir, const std::string& name,
                                const std::string& usual) {
  if (name == usual && !fs::exists(dir / name)) return "";
  return ReadText(dir / name);
}

// 1 to 40 of [a-z0-9-].
std::string IdFrom(const fs::path& dir) {
  std::string id;
  for (const unsigned char c : fs::canonical(dir).filename().string()) {
    id += std::isalnum(c) ? static_cast<char>(std::tolower(c)) : '-';
  }
  return id.substr(0, 40);
}

}  // namespace

Expected<AssignmentSource> LoadAssignment(const fs::path& dir) {
  const fs::path path = dir / "assignment.yaml";
  if (!fs::exists(path)) {
    return InvalidArgument(path.string(),
                           " is not there; expected a folder with an "
                           "assignment.yaml, like docs/examples/orders-api");
  }
  ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  auto file = ParseAssignmentFile(path.string(), text);
  if (!file) return InvalidArgument(suite::ToText(file.error()));
  AssignmentSource source{.spec = std::move(file->spec), .id = IdFrom(dir)};
  ASSAY_ASSIGN_OR_RETURN(*source.spec.mutable_brief(),
                         ReadNamed(dir, file->brief, AssignmentFile().brief));
  ASSAY_ASSIGN_OR_RETURN(
      source.template_tree,
      file->template_git.empty()
          ? ReadTree(dir / file->template_folder)
          : ReadGitTree(file->template_git, file->template_ref));
  ASSAY_ASSIGN_OR_RETURN(source.suite, ReadTree(dir / file->suite_folder));
  ASSAY_ASSIGN_OR_RETURN(const std::string rubric,
                         ReadNamed(dir, file->rubric, AssignmentFile().rubric));
  if (!rubric.empty()) PutFile(source.suite, "rubric.yaml", rubric);
  return source;
}

}  // namespace assay::cli
