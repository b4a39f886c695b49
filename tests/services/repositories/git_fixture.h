#ifndef ASSAY_TESTS_SERVICES_REPOSITORIES_GIT_FIXTURE_H_
#define ASSAY_TESTS_SERVICES_REPOSITORIES_GIT_FIXTURE_H_

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/id.h"
#include "services/repositories/handles.h"
#include "services/repositories/template_store.h"

namespace assay::repositories {

inline void AddFile(v1::FileTree& tree, std::string path, std::string content,
                    std::uint32_t mode = 0100644) {
  v1::FileTree::File& file = *tree.add_files();
  file.set_path(std::move(path));
  file.set_content(std::move(content));
  file.set_mode(mode);
}

// A directory with a template store, an attempt's repository made from it, and
// a stock git to play the candidate.
class GitFixture : public testing::Test {
 protected:
  GitFixture() {
    StartLibgit2();
    std::filesystem::create_directories(root_ / "templates");
    std::filesystem::create_directories(root_ / "attempts");
  }
  ~GitFixture() override { std::filesystem::remove_all(root_); }

  std::string MakeTemplate() {
    v1::FileTree tree;
    AddFile(tree, "README.md", "Build an orders API.\n");
    AddFile(tree, "src/app.py", "print('hello')\n");
    AddFile(tree, "src/run", "#!/bin/sh\n", 0100755);
    AddFile(tree, "start", "src/run", 0120000);
    return *templates_.Create(tree);
  }

  std::filesystem::path MakeRepository(const std::string& template_commit) {
    const auto path =
        root_ / "attempts" / (RepositoryId::Random().str() + ".git");
    EXPECT_TRUE(templates_.CreateRepository(template_commit, path));
    return path;
  }

  // Runs git with a clean configuration and answers with its output. `status`
  // gets the exit code; without it git must succeed.
  std::string Git(const std::string& arguments, int* status = nullptr) {
    const std::string command =
        "cd " + root_.string() +
        " && GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1"
        " GIT_AUTHOR_NAME=c GIT_AUTHOR_EMAIL=c@x GIT_COMMITTER_NAME=c"
        " GIT_COMMITTER_EMAIL=c@x git " +
        arguments + " 2>&1";
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
      output.append(buffer.data(), n);
    const int code = pclose(pipe);
    if (status != nullptr)
      *status = code;
    else
      EXPECT_EQ(code, 0) << command << "\n" << output;
    while (!output.empty() && output.back() == '\n') output.pop_back();
    return output;
  }

  // Clones the repository into `work` once, writes `file`, commits and pushes;
  // answers with the commit.
  std::string Push(const std::filesystem::path& repository,
                   const std::string& file, const std::string& content,
                   const std::string& message) {
    if (!std::filesystem::exists(root_ / "work"))
      Git("clone -q " + repository.string() + " work");
    std::filesystem::create_directories((root_ / "work" / file).parent_path());
    std::ofstream(root_ / "work" / file) << content;
    Git("-C work add -A");
    Git("-C work commit -q -m '" + message + "'");
    Git("-C work push -q origin HEAD:main");
    return Git("-C work rev-parse HEAD");
  }

  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("assay-" + RandomToken());
  const TemplateStore templates_{root_ / "templates"};
};

}  // namespace assay::repositories

#endif  // ASSAY_TESTS_SERVICES_REPOSITORIES_GIT_FIXTURE_H_
