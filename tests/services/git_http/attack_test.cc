#include <gmock/gmock.h>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "assay/v1/source_service.grpc.pb.h"
#include "services/git_http/pkt_line.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/testing/base64.h"

// The git rows of the threat list, by a stock git and by hand.

namespace assay::testing {
namespace {

using git_http::PacketOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AttackTest : public ServerFixture {
 protected:
  AttackTest() {
    MakeAssignment();
    attempt_ = MakeAttempt();
    Clone(attempt_);
    base_ = Tip();
  }
  std::string Tip() {
    return Git("-C " + RepositoryPath(attempt_).string() + " rev-parse main");
  }
  std::string PostPush(const std::string& body,
                       const std::string& fields = "") {
    return Exchange(
        web_port(),
        Post("/git/" + attempt_.repository + ".git/git-receive-pack",
             "application/x-git-receive-pack-request", body,
             "Authorization: Basic " +
                 Base64("x-token:" + attempt_.git_password) + "\r\n" + fields));
  }
  // Pushes `commit` of the clone to main; answers with what git prints.
  std::string Refused(const std::string& commit) {
    int status = 0;
    const std::string output =
        Git("-C work push origin " + commit + ":main", &status);
    EXPECT_NE(status, 0) << output;
    EXPECT_EQ(Tip(), base_);
    return output;
  }
  // A commit on top of the base with a tree that mktree was made to take.
  std::string CommitOfTree(const std::string& entries) {
    std::ofstream(directory_.path() / "entries", std::ios::binary) << entries;
    const std::string tree =
        Git("-C work hash-object -t tree --literally -w ../entries");
    return Git("-C work commit-tree -p " + base_ + " -m x " + tree);
  }
  // Of a push that was refused: no ref, no object, nothing unfinished.
  void ExpectNothingLeft(const std::string& commit) {
    const auto path = RepositoryPath(attempt_);
    EXPECT_EQ(Git("-C " + path.string() + " for-each-ref"),
              base_ + " commit\trefs/heads/main");
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      EXPECT_FALSE(name.starts_with("tmp_") || name.ends_with(".lock"))
          << entry.path();
    }
    if (commit.empty()) return;
    int status = 0;
    Git("-C " + path.string() + " cat-file -e " + commit, &status);
    EXPECT_NE(status, 0);
  }
  std::string BlobBytes() {
    const std::string hex = Git("-C work rev-parse HEAD:README.md");
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  }

  // Command lines and environments of this process's children whose command
  // line holds `word`.
  static std::string CommandLinesOf(const std::string& word) {
    const auto read = [](const std::filesystem::path& file) {
      std::ifstream in(file, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    std::string found;
    std::error_code ignored;
    const std::string parent = "PPid:\t" + std::to_string(getpid()) + "\n";
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc", ignored)) {
      const std::string line = read(entry.path() / "cmdline");
      if (line.contains(word) && read(entry.path() / "status").contains(parent))
        found += line + read(entry.path() / "environ");
    }
    return found;
  }

  StartedAttempt attempt_;
  std::string base_;
};

TEST_F(AttackTest, ObjectsOfOthersCannotBeFetchedByTheirNames) {
  const StartedAttempt eve = MakeAttempt();
  const std::string secret = Commit("answer", "42\n");
  Git("-C work push -q origin HEAD:main");
  Git("clone -q " + eve.private_url + " eve");
  for (const char* version : {"0", "2"}) {
    int status = 0;
    Git("-C eve -c protocol.version=" + std::string(version) +
            " fetch origin " + secret,
        &status);
    EXPECT_NE(status, 0);
  }
  int status = 0;
  Git("-C eve cat-file -e " + secret, &status);
  EXPECT_NE(status, 0);
}

TEST_F(AttackTest, RefToACommitThatIsNotThereIsRefused) {
  const StartedAttempt eve = MakeAttempt();
  Commit("answer", "42\n");
  Git("-C work push -q origin HEAD:main");
  const std::string secret = Tip();
  // Eve claims that she has it, with an empty pack.
  std::string pack("PACK\0\0\0\2\0\0\0\0", 12);
  pack +=
      "\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c"
      "\xfd\x3e\xd3\x1e";
  attempt_ = eve;
  const std::string response =
      PostPush(PacketOf(base_ + " " + secret + " refs/heads/main" +
                        std::string("\0 report-status", 15)) +
               "0000" + pack);
  EXPECT_THAT(response, HasSubstr("ng refs/heads/main"));
  EXPECT_EQ(Tip(), base_);
}

TEST_F(AttackTest, AlternatesShowNoRefsOfTheTemplate) {
  // Git says only once what a ref of the repository's own says, too.
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  const std::string advertised = Exchange(
      web_port(), "GET /git/" + attempt_.repository +
                      ".git/info/refs?service=git-receive-pack HTTP/1.1\r\n"
                      "Host: x\r\nConnection: close\r\nAuthorization: Basic " +
                      Base64("x-token:" + attempt_.git_password) + "\r\n\r\n");
  EXPECT_EQ(StatusOf(advertised), 200);
  EXPECT_THAT(advertised, Not(HasSubstr(".have")));
}

TEST_F(AttackTest, TreesThatWouldEscapeACheckoutAreRefused) {
  const std::string blob = BlobBytes();
  for (const std::string& name :
       {std::string(".git"), std::string(".GIT"), std::string(".."),
        std::string("."), std::string("a/b"),
        // What NTFS and HFS+ open as .git.
        std::string("git~1"), std::string(".git "),
        std::string(".g\u200cit")}) {
    EXPECT_THAT(
        Refused(CommitOfTree("100644 " + name + std::string(1, '\0') + blob)),
        HasSubstr("rejected"))
        << name;
  }
}

TEST_F(AttackTest, SubmodulesThatWouldRunSomethingAreRefused) {
  for (const char* text :
       {"[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/x\n",
        "[submodule \"x\"]\n\tpath = -x\n\turl = https://x.test/x\n",
        "[submodule \"../x\"]\n\tpath = x\n\turl = https://x.test/x\n",
        "[submodule \"x\"]\n\tpath = x\n\turl = https://x.test/x\n"
        "\tupdate = !touch /tmp/x\n"}) {
    std::ofstream(directory_.path() / "modules") << text;
    const std::string blob = Git("-C work hash-object -w ../modules");
    std::ofstream(directory_.path() / "list")
        << "100644 blob " << blob << "\t.gitmodules\n";
    const std::string commit = Git("-C work commit-tree -p " + base_ +
                                   " -m x " + Git("-C work mktree < list"));
    EXPECT_THAT(Refused(commit), HasSubstr("gitmodules")) << text;
    ExpectNothingLeft(commit);
  }
}

TEST_F(AttackTest, LinksAndSubmodulesAreKeptAndNeverFollowed) {
  std::ofstream(directory_.path() / "canary") << "swordfish\n";
  std::ofstream(directory_.path() / "target")
      << (directory_.path() / "canary").string();
  std::ofstream(directory_.path() / "list")
      << "120000 blob " << Git("-C work hash-object -w ../target") << "\tlink\n"
      << "160000 commit " << std::string(40, 'd') << "\tmodule\n";
  const std::string commit = Git("-C work commit-tree -p " + base_ + " -m x " +
                                 Git("-C work mktree --missing < list"));
  Git("-C work push -q origin " + commit + ":main");
  EXPECT_EQ(Tip(), commit);
  // What a reviewer sees is where the link points, and nothing behind it.
  const auto stub = v1::SourceService::NewStub(channel());
  v1::GetDiffRequest ask;
  ask.set_attempt(attempt_.name);
  ask.set_new_commit(commit);
  v1::GetDiffResponse diff;
  const grpc::Status status = stub->GetDiff(As(AdminToken()).get(), ask, &diff);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(diff.DebugString(), HasSubstr("link"));
  EXPECT_THAT(diff.DebugString(), Not(HasSubstr("swordfish")));
}

TEST_F(AttackTest, TreeBombIsRefusedAtThePushAndLeavesNothing) {
  // Each level names the one below ten times: 10^9 files in ten objects.
  std::string entry = "100644 blob " + Git("-C work rev-parse HEAD:README.md");
  for (int level = 0; level < 9; ++level) {
    std::ofstream list(directory_.path() / "list");
    for (int i = 0; i < 10; ++i) list << entry << "\t" << i << "\n";
    list.close();
    entry = "040000 tree " + Git("-C work mktree < list");
  }
  const std::string bomb =
      Git("-C work commit-tree -p " + base_ + " -m bomb " + entry.substr(12));
  const auto began = std::chrono::steady_clock::now();
  const std::string output = Refused(bomb);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  EXPECT_THAT(output, HasSubstr("unpacks to more than 50000 files"));
  EXPECT_THAT(output, HasSubstr("remote: Leave generated files"));
  ExpectNothingLeft(bomb);
}

TEST_F(AttackTest, DirectoriesNestedTooDeepAreRefusedAtThePush) {
  std::string entry = "100644 blob " + Git("-C work rev-parse HEAD:README.md");
  for (int level = 0; level < 70; ++level) {
    std::ofstream(directory_.path() / "list") << entry << "\td\n";
    entry = "040000 tree " + Git("-C work mktree < list");
  }
  const std::string deep =
      Git("-C work commit-tree -p " + base_ + " -m x " + entry.substr(12));
  EXPECT_THAT(Refused(deep), HasSubstr("nested more than 64 deep"));
  ExpectNothingLeft(deep);
}

TEST_F(AttackTest, FilesThatUnpackToGigabytesAreRefused) {
  // 32 KiB in the pack, and forty times 32 MiB of zeros in a checkout.
  std::ofstream(directory_.path() / "zeros") << "";
  std::filesystem::resize_file(directory_.path() / "zeros",
                               std::uintmax_t{32} << 20);
  const std::string blob = Git("-C work hash-object -w ../zeros");
  std::ofstream list(directory_.path() / "list");
  for (int i = 0; i < 40; ++i)
    list << "100644 blob " << blob << "\t" << i << "\n";
  list.close();
  const std::string tree = Git("-C work mktree < list");
  const std::string commit =
      Git("-C work commit-tree -p " + base_ + " -m x " + tree);
  EXPECT_THAT(Refused(commit), HasSubstr("unpacks to more than"));
  ExpectNothingLeft(commit);
}

TEST_F(AttackTest, ManyRefsAreRefusedBeforeGitSeesThem) {
  std::string body;
  // Few enough bytes that it is their number that counts.
  for (int i = 0; i < 200; ++i)
    body += PacketOf(std::string(40, '0') + " " + base_ + " refs/heads/b" +
                     std::to_string(i) +
                     (i == 0 ? std::string("\0 report-status", 15) : ""));
  const std::string response = PostPush(body + "0000");
  EXPECT_EQ(StatusOf(response), 413);
  ExpectNothingLeft("");
}

TEST_F(AttackTest, NamesThatAreNoRefsAreMalformed) {
  for (const std::string& name :
       {std::string("refs/heads/../../HEAD"), std::string("-refs/heads/main"),
        std::string("refs/heads/main.lock"), std::string("HEAD"),
        std::string("refs/heads/") + std::string(4'096, 'x'),
        std::string("refs/heads/\xff\x01")}) {
    const std::string response =
        PostPush(PacketOf(std::string(40, '0') + " " + base_ + " " + name +
                          std::string("\0 report-status", 15)) +
                 "0000");
    EXPECT_EQ(StatusOf(response), 400) << name;
  }
  ExpectNothingLeft("");
}

TEST_F(AttackTest, TokensAreInNoLogAndInNoProcessList) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "log", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  spdlog::set_level(spdlog::level::trace);
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  PostPush("junk");
  int status = 0;
  Git("ls-remote http://x-token:" + attempt_.git_password +
          "@127.0.0.1:" + std::to_string(web_port()) + "/git/rep_" +
          std::string(20, 'x') + ".git",
      &status);
  spdlog::set_default_logger(before);
  EXPECT_THAT(log.str(), Not(HasSubstr(attempt_.git_password)));
  EXPECT_THAT(log.str(), Not(HasSubstr(attempt_.token)));
  // As git sends it.
  EXPECT_THAT(log.str(),
              Not(HasSubstr(Base64("x-token:" + attempt_.git_password))));

  // What everybody on the machine sees of git while it receives a push.
  std::string seen;
  std::atomic<bool> over = false;
  std::thread watcher([&] {
    while (!over && seen.empty()) seen = CommandLinesOf("receive-pack");
    over = true;
  });
  for (int i = 0; i < 50 && !over; ++i) {
    Commit("a", std::to_string(i));
    Git("-C work push -q origin HEAD:main");
  }
  over = true;
  watcher.join();
  EXPECT_THAT(seen, HasSubstr("--stateless-rpc"));
  EXPECT_THAT(seen, Not(HasSubstr(attempt_.git_password)));
  EXPECT_THAT(seen, Not(HasSubstr(Base64("x-token:" + attempt_.git_password))));
}

TEST_F(AttackTest, MalformedRequestsAre4xxAndChangeNothing) {
  EXPECT_EQ(StatusOf(PostPush("junk")), 400);
  EXPECT_EQ(StatusOf(PostPush("")), 400);
  EXPECT_EQ(StatusOf(PostPush("0000")), 200);
  EXPECT_EQ(StatusOf(PostPush("0000", "Content-Encoding: gzip\r\n")), 400);
  EXPECT_EQ(StatusOf(PostPush("0000", "Content-Encoding: br\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange(web_port(), Post("/git/" + attempt_.repository +
                                                   ".git/git-receive-pack",
                                               "text/plain", "0000"))),
            400);
  EXPECT_TRUE(Pushes(attempt_).empty());
}

TEST_F(AttackTest, BrokenPackIsRefusedAndLeavesNothing) {
  const std::string fake(40, 'c');
  const std::string response =
      PostPush(PacketOf(base_ + " " + fake + " refs/heads/main" +
                        std::string("\0 report-status side-band-64k", 29)) +
               "0000PACK\0\0\0\2 this is no pack");
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_THAT(BodyOf(response), HasSubstr("ng refs/heads/main"));
  EXPECT_EQ(Tip(), base_);
  const auto pushes = Pushes(attempt_);
  ASSERT_EQ(pushes.size(), 1);
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_REFUSED);
}

TEST_F(AttackTest, OddProtocolHeadersDoNotReachGit) {
  const auto advertised = [&](const std::string& field) {
    return Exchange(web_port(),
                    "GET /git/" + attempt_.repository +
                        ".git/info/refs?service=git-upload-pack HTTP/1.1\r\n"
                        "Host: x\r\nConnection: close\r\n" +
                        field + "Authorization: Basic " +
                        Base64("x-token:" + attempt_.git_password) +
                        "\r\n\r\n");
  };
  const std::string plain = BodyOf(advertised(""));
  ASSERT_THAT(plain, HasSubstr("refs/heads/main"));
  for (const std::string protocol :
       {"version=2:version=0", "version=1:x", "version=99", "; rm -rf /",
        "version=2\x01"}) {
    const std::string response =
        advertised("Git-Protocol: " + protocol + "\r\n");
    if (StatusOf(response) == 400) continue;  // not even HTTP
    EXPECT_EQ(BodyOf(response), plain) << protocol;
  }
}

TEST_F(AttackTest, HooksInARepositoryAreNotRun) {
  const auto hooks = RepositoryPath(attempt_) / "hooks";
  std::filesystem::create_directories(hooks);
  for (const char* name : {"pre-receive", "update", "post-receive",
                           "reference-transaction", "post-update"}) {
    std::ofstream(hooks / name)
        << "#!/bin/sh\ntouch " << (directory_.path() / "ran").string() << "\n";
    std::filesystem::permissions(hooks / name,
                                 std::filesystem::perms::owner_all);
  }
  Commit("a", "1");
  Git("-C work push -q origin HEAD:main");
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "ran"));
}

}  // namespace
}  // namespace assay::testing
