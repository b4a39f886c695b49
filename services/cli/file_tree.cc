#include "services/cli/file_tree.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <vector>

#include "services/cli/child.h"
#include "services/cli/temporary_directory.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kFileMode = 0100644;
constexpr std::uint32_t kLinkMode = 0120000;

bool LeadsOut(const fs::path& root, const fs::path& link) {
  const fs::path target = fs::read_symlink(link);
  if (target.is_absolute()) return true;
  const fs::path relative =
      (link.parent_path() / target).lexically_relative(root);
  return relative.empty() || *relative.begin() == "..";
}

Expected<std::string> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in.good() && !in.eof()) return SystemError("read " + path.string(), EIO);
  return std::move(content).str();
}

Status AddEntry(const fs::path& root, const fs::directory_entry& entry,
                v1::FileTree& tree) {
  const fs::path& path = entry.path();
  auto* file = tree.add_files();
  file->set_path(path.lexically_relative(root).generic_string());
  if (entry.is_symlink()) {
    if (LeadsOut(root, path)) {
      return InvalidArgument(
          path.string(), " links to ", fs::read_symlink(path).string(),
          ", which is outside ", root.string(), "; links must stay inside");
    }
    file->set_mode(kLinkMode);
    file->set_content(fs::read_symlink(path).string());
    return {};
  }
  if (!entry.is_regular_file()) {
    return InvalidArgument(path.string(),
                           " is neither a file nor a directory nor a link");
  }
  const bool runs =
      (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
  file->set_mode(runs ? kProgramMode : kFileMode);
  ASSAY_ASSIGN_OR_RETURN(*file->mutable_content(), ReadFile(path));
  return {};
}

Status CheckLimits(const fs::path& dir, std::size_t files, std::size_t bytes) {
  if (files > kMostFiles) {
    return InvalidArgument(dir.string(), " holds more than ", kMostFiles,
                           " files; is a build or a package folder in it?");
  }
  if (bytes > kMostBytes) {
    return InvalidArgument(dir.string(), " holds more than ", kMostBytes >> 20,
                           " MiB; an assignment's files must be smaller");
  }
  return {};
}

}  // namespace

Expected<v1::FileTree> ReadTree(const fs::path& dir) {
  std::error_code error;
  const fs::path root = fs::canonical(dir, error);
  if (error || !fs::is_directory(root)) {
    return InvalidArgument(dir.string(), " is not a directory");
  }
  v1::FileTree tree;
  std::size_t bytes = 0;
  fs::recursive_directory_iterator it(root, error);
  const fs::recursive_directory_iterator end;
  for (; !error && it != end; it.increment(error)) {
    if (it->path().filename() == ".git") {
      it.disable_recursion_pending();
      continue;
    }
    if (it->is_directory() && !it->is_symlink()) continue;
    ASSAY_RETURN_IF_ERROR(AddEntry(root, *it, tree));
    bytes += tree.files(tree.files_size() - 1).content().size();
    ASSAY_RETURN_IF_ERROR(
        CheckLimits(dir, static_cast<std::size_t>(tree.files_size()), bytes));
  }
  if (error) return SystemError("read " + dir.string(), error.value());
  std::sort(tree.mutable_files()->begin(), tree.mutable_files()->end(),
            [](const auto& a, const auto& b) { return a.path() < b.path(); });
  return tree;
}

Expected<v1::FileTree> ReadGitTree(const std::string& url,
                                   const std::string& ref) {
  const TemporaryDirectory work;
  if (work.path().empty()) return SystemError("make a directory", errno);
  const std::string clone = (work.path() / "clone").string();
  std::vector<std::string> command = {
      "git", "clone", "--quiet", "--depth", "1", "--no-tags", "--no-local"};
  if (!ref.empty()) command.insert(command.end(), {"--branch", ref});
  command.insert(command.end(), {"--", url, clone});
  ASSAY_ASSIGN_OR_RETURN(const Captured git,
                         Capture(command, {{"GIT_TERMINAL_PROMPT", "0"},
                                           {"GIT_ASKPASS", "true"}}));
  if (git.exit_code != 0) {
    return InvalidArgument("template ", url, ref.empty() ? "" : " at ", ref,
                           " cannot be cloned; expected a git repository with "
                           "at least one commit. git says: ",
                           git.output);
  }
  auto tree = ReadTree(clone);
  if (tree && tree->files_size() == 0) {
    return InvalidArgument("template ", url, " is empty");
  }
  return tree;
}

void PutFile(v1::FileTree& tree, const std::string& path,
             const std::string& content) {
  auto& files = *tree.mutable_files();
  auto at = std::lower_bound(
      files.begin(), files.end(), path,
      [](const v1::FileTree::File& file, const std::string& wanted) {
        return file.path() < wanted;
      });
  if (at == files.end() || at->path() != path) {
    const auto index = at - files.begin();
    files.Add();
    std::rotate(files.begin() + index, files.end() - 1, files.end());
    at = files.begin() + index;
  }
  at->set_path(path);
  at->set_mode(kFileMode);
  at->set_content(content);
}

Status WriteTree(const v1::FileTree& tree, const std::filesystem::path& dir) {
  for (const v1::FileTree::File& file : tree.files()) {
    const std::filesystem::path path(file.path());
    const bool plain =
        !file.path().empty() && path.is_relative() &&
        std::ranges::none_of(path, [](const std::filesystem::path& part) {
          return part.empty() || part == "." || part == "..";
        });
    if (!plain || file.mode() == 0120000)
      return InvalidArgument("the server sent a file that cannot be written: ",
                             file.path());
  }
  std::error_code error;
  if (!std::filesystem::create_directory(dir, error))
    return InvalidArgument(
        dir.string(), " cannot be made",
        error ? ": " + error.message() : ": there is something already");
  for (const v1::FileTree::File& file : tree.files()) {
    const std::filesystem::path path = dir / file.path();
    std::filesystem::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out << file.content();
    out.close();
    if (!out) return SystemError("write " + path.string(), errno);
    if (file.mode() == 0100755)
      std::filesystem::permissions(path,
                                   std::filesystem::perms::owner_exec |
                                       std::filesystem::perms::group_exec |
                                       std::filesystem::perms::others_exec,
                                   std::filesystem::perm_options::add, error);
  }
  return {};
}

}  // namespace assay::cli
