#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/sandbox/main/assay_sandbox_test.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST_P(AssaySandboxTest, CommandThatCannotRunIsNamed) {
  const Finished missing = Call("run -- no-such-command");
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(missing.err,
            "assay-sandbox: cannot run 'no-such-command' in the cell: No such "
            "file or directory\n");
  const Finished data = Call("run -- /etc/passwd");
  EXPECT_EQ(data.status, 126);
  EXPECT_THAT(data.err, HasSubstr("'/etc/passwd'"));
}

TEST_P(AssaySandboxTest, CompletionKnowsTheOptions) {
  std::ofstream(directory_.path() + "/rules") << Call("completion").out;
  const auto complete = [&](const std::string& words) {
    const std::string command =
        "bash -c '. " + directory_.path() + "/rules; COMP_WORDS=(" + words +
        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _assay_sandbox; "
        "echo \"${COMPREPLY[*]}\"'";
    std::FILE* pipe = ::popen(command.c_str(), "re");
    char line[4096] = "";
    if (pipe != nullptr && std::fgets(line, sizeof(line), pipe) == nullptr) {
      line[0] = '\0';
    }
    if (pipe != nullptr) ::pclose(pipe);
    return std::string(line);
  };
  EXPECT_EQ(complete("assay-sandbox ch"), "check\n");
  EXPECT_EQ(complete("assay-sandbox run --mem"), "--memory\n");
  EXPECT_EQ(complete("assay-sandbox run --wall 2s --json x --st"),
            "--stderr --stdin --stdout\n");
  EXPECT_THAT(complete("assay-sandbox run -- tru"), HasSubstr("true"));
}

TEST_P(AssaySandboxTest, MistakesGiveOneClearLineAnd125) {
  struct {
    const char* words;
    const char* says;
  } const kMistakes[] = {
      {"run", "no command"},
      {"run --bogus 1 -- true", "unknown option '--bogus'"},
      {"run --wall", "--wall: a value is missing"},
      {"run --wall 2 -- true", "with its unit"},
      {"run --memory 64 -- true", "64KiB, 256MiB"},
      {"run --memory -1MiB -- true", "with its unit"},
      {"run --pids none -- true", "expected a number"},
      {"run --ro /no/such -- true", "/no/such"},
      {"run --net egress=a -- true", "expected HOST:PORT"},
      {"run --net egress= -- true", "expected HOST:PORT"},
      {"run --root /no/such -- true", "cannot use '/no/such'"},
      {"run --root /etc/passwd -- true", "not a directory"},
      {"run --root oci:x -- true", "cannot use 'x'"},
      {"run --root oci:. -- true", "it has no oci-layout"},
      {"run --env X -- true", "NAME=VALUE"},
      {"run --tmpfs t:1MiB -- true", "absolute path"},
      {"run --tmpfs /t -- true", "DST:SIZE"},
      {"run --stdin /no/such -- true", "/no/such"},
      {"run --allow-weaker x -- true", "memory, pids"},
      {"run --net wide -- true", "none, loopback or egress"},
      {"run --memory 900000GiB -- true", "this host has"},
      {"run --disk 900000GiB -- true", "this host has"},
      {"run --cores 4000 -- true", "this host has"},
      {"run --disk 1GiB --inodes 9000000000000 -- true", "this host has"},
      {"run --tmpfs /t:900000GiB -- true", "this host has"},
      {"run --pids 999999999 -- true", "--pids: found 999999999"},
      {"run --pids 4294967297 -- true", "--pids: found '4294967297'"},
      {"run --open-files 900000000 -- true", "--open-files: found"},
      {"run --wall 0s -- true", "above 0"},
      {"run --memory 0B -- true", "above 0"},
      {"run --io-rate 5 -- true", "with its unit"},
      {"run --cwd /no/such -- true", "--cwd: cannot use '/no/such'"},
      {"check --json", "found '--json'"},
      {"run --json /no/such/file -- true", "No such file"},
      {"run --stdout /dev/full -- echo x", "No space left"},
      {"walk", "found 'walk'"},
  };
  for (const auto& mistake : kMistakes) {
    const Finished finished = Call(mistake.words);
    EXPECT_EQ(finished.status, 125) << mistake.words;
    EXPECT_THAT(finished.err, StartsWith("assay-sandbox: ")) << mistake.words;
    EXPECT_THAT(finished.err, HasSubstr(mistake.says)) << mistake.words;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1)
        << finished.err;
    EXPECT_THAT(finished.out, IsEmpty());
  }
}

TEST_P(AssaySandboxTest, WhatTheCallerMayNotReadIsNotMounted) {
  if (root()) return;
  std::filesystem::create_directory(directory_.path() + "/secret");
  ::chmod((directory_.path() + "/secret").c_str(), 0700);
  for (const char* option : {"--ro", "--rw", "--root"}) {
    const Finished refused =
        Call(std::string("run ") + option + " secret -- echo ran");
    EXPECT_EQ(refused.status, 125) << option;
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(refused.err, "assay-sandbox: " + std::string(option) +
                               ": cannot read '" + directory_.path() +
                               "/secret': Permission denied\n");
  }
}

TEST_P(AssaySandboxTest, EveryOptionOfTheHelpIsInTheManPageAndBack) {
  std::string man = ReadFile(std::string(std::getenv("ASSAY_SOURCE_DIR")) +
                             "/docs/man/assay-sandbox.1");
  for (std::size_t at = 0; (at = man.find('\\', at)) != std::string::npos;) {
    if (man.compare(at, 2, "\\-") == 0) {
      man.replace(at, 2, "-");
    } else {
      ++at;
    }
  }
  const auto options = [](const std::string& text) {
    std::set<std::string> found;
    for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos;) {
      const auto end =
          text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
      const std::string name = text.substr(at, end - at);
      if (name.size() > 2) found.insert(name);
      at = end;
    }
    return found;
  };
  EXPECT_EQ(options(Call("--help").out), options(man));
}

}  // namespace
}  // namespace assay::sandbox
