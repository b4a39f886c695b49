#ifndef ASSAY_SERVICES_CLI_FILE_TREE_H_
#define ASSAY_SERVICES_CLI_FILE_TREE_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"

namespace assay::cli {

// The limits of v1.FileTree.
inline constexpr int kMostFiles = 10'000;
inline constexpr std::size_t kMostBytes = 32u << 20;

// The mode of executable files.
inline constexpr std::uint32_t kProgramMode = 0100755;

// Everything below `dir` but `.git`, sorted by path. Symbolic links are kept as
// links; sockets, devices and links that lead out of `dir` are errors.
Expected<v1::FileTree> ReadTree(const std::filesystem::path& dir);

// The tree of `ref` (empty: HEAD) of the git repository at `url`, which may be
// a path. Only what is committed counts. Uses the `git` program, which never
// asks for a password here.
Expected<v1::FileTree> ReadGitTree(const std::string& url,
                                   const std::string& ref);

// Puts `content` into `tree` at its place; a file that is there is replaced.
void PutFile(v1::FileTree& tree, const std::string& path,
             const std::string& content);

// Writes the files below `dir`, which must not be there yet. The tree comes
// from a server: a path that leads elsewhere is refused before anything is
// written.
Status WriteTree(const v1::FileTree& tree, const std::filesystem::path& dir);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_FILE_TREE_H_
