#include <gmock/gmock.h>

#include <sys/resource.h>
#include <zlib.h>

#include <chrono>
#include <filesystem>

#include "proto/base/digest.h"
#include "services/git_http/pkt_line.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/services/git_http/pack_of_objects.h"
#include "tests/testing/base64.h"

// Small packs that unpack to very much: refused in words, within time and
// memory, and nothing of them stays.

namespace assay::testing {
namespace {

using git_http::PacketOf;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using Type = PackOfObjects::Type;

constexpr std::size_t kMiB = 1 << 20;
// The longest piece that a delta copies at once.
constexpr std::uint64_t kPiece = 16 * kMiB - 1;

class BombTest : public ServerFixture {
 protected:
  BombTest() {
    MakeAssignment();
    attempt_ = MakeAttempt();
    base_ = Git("-C " + RepositoryPath(attempt_).string() + " rev-parse main");
  }

  // Adds a commit of `tree` on top of the template.
  std::string AddCommit(const std::string& tree) {
    return pack_.Add(Type::kCommit,
                     "tree " + tree + "\nparent " + base_ +
                         "\nauthor A <a@x> 1700000000 +0000\n"
                         "committer A <a@x> 1700000000 +0000\n\nbomb\n");
  }
  static std::string Entry(const std::string& mode, const std::string& name,
                           const std::string& oid) {
    return mode + ' ' + name + '\0' + FromHex(oid);
  }
  // Pushes the pack and `commit`; answers with what is said.
  std::string Push(const std::string& commit) {
    RawClient client(web_port());
    client.Send(
        Post("/git/" + attempt_.repository + ".git/git-receive-pack",
             "application/x-git-receive-pack-request",
             PacketOf(base_ + " " + commit + " refs/heads/main" +
                      std::string("\0 report-status side-band-64k", 29)) +
                 "0000" + pack_.bytes(),
             "Authorization: Basic " +
                 Base64("x-token:" + attempt_.git_password) + "\r\n"));
    const std::string response = client.ReadAll(60);
    EXPECT_EQ(StatusOf(response), 200);
    return BodyOf(response);
  }
  // ... and expects that it is refused in time and without a trace.
  std::string Refused(const std::string& commit, seconds most) {
    const auto began = steady_clock::now();
    const std::string said = Push(commit);
    EXPECT_LT(steady_clock::now() - began, most);
    EXPECT_THAT(said, HasSubstr("ng refs/heads/main"));
    const auto path = RepositoryPath(attempt_);
    EXPECT_EQ(Git("-C " + path.string() + " rev-parse main"), base_);
    int status = 0;
    Git("-C " + path.string() + " cat-file -e " + commit, &status);
    EXPECT_NE(status, 0);
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path))
      EXPECT_FALSE(entry.path().filename().string().starts_with("tmp_"))
          << entry.path();
    // Whoever pushes sense afterwards is served.
    Clone(attempt_);
    Commit("a", "1");
    Git("-C work push -q origin HEAD:main");
    return said;
  }
  static std::string Gzipped(const std::string& text) {
    z_stream zlib{};
    deflateInit2(&zlib, 1, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&zlib, text.size()), '\0');
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    zlib.avail_in = static_cast<uInt>(text.size());
    zlib.next_out = reinterpret_cast<Bytef*>(out.data());
    zlib.avail_out = static_cast<uInt>(out.size());
    deflate(&zlib, Z_FINISH);
    out.resize(zlib.total_out);
    deflateEnd(&zlib);
    return out;
  }
  // The largest of all programs that were waited for, in MiB.
  static long LargestChild() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss / 1024;
  }

  StartedAttempt attempt_;
  std::string base_;
  PackOfObjects pack_;
};

TEST_F(BombTest, DeltaThatUnpacksToGigabytesTakesNoMoreThanItsLimit) {
  const std::string zeros =
      pack_.Add(Type::kBlob, std::string(16 * kMiB, '\0'));
  pack_.AddDelta(zeros, PackOfObjects::CopyDelta(16 * kMiB, kPiece, 200, "x"));
  ASSERT_LT(pack_.bytes().size(), 64 << 10);
  EXPECT_THAT(Refused(std::string(40, 'c'), seconds(20)),
              HasSubstr("take more memory"));
  EXPECT_LT(LargestChild(), 600);
}

TEST_F(BombTest, ManyDeltasThatUnpackToMuchEachRunOutOfTime) {
  Stop();
  options_.index_limits.cpu_seconds = 1;
  Start();
  const std::string zeros =
      pack_.Add(Type::kBlob, std::string(16 * kMiB, '\0'));
  for (int i = 0; i < 500; ++i)
    pack_.AddDelta(zeros, PackOfObjects::CopyDelta(16 * kMiB, kPiece, 8,
                                                   std::to_string(i)));
  EXPECT_THAT(Refused(std::string(40, 'c'), seconds(30)),
              HasSubstr("or time to unpack"));
}

TEST_F(BombTest, FileThatWouldFillTheMemoryOfWhoeverPacksItIsRefused) {
  const std::string blob =
      pack_.Add(Type::kBlob, std::string(130 * kMiB, '\0'));
  const std::string tree =
      pack_.Add(Type::kTree, Entry("100644", "zeros", blob));
  EXPECT_THAT(Refused(AddCommit(tree), seconds(20)),
              HasSubstr("more than 128 MiB in one of its files"));
}

TEST_F(BombTest, ChainOfDeltasIsLookedThroughInTime) {
  Stop();
  options_.index_limits.judge_time = std::chrono::milliseconds(200);
  Start();
  // Each file is a delta of the one before, so that the last ones need all.
  constexpr int kFiles = 5'000;
  std::string content(4'096, 'a');
  std::string oid = pack_.Add(Type::kBlob, content);
  std::string tree;
  for (int i = 0; i < kFiles; ++i) {
    const std::string number = std::to_string(100'000 + i);
    pack_.AddDelta(oid,
                   PackOfObjects::CopyDelta(content.size(), 4'000, 1, number));
    content = content.substr(0, 4'000) + number;
    oid = PackOfObjects::NameOf(Type::kBlob, content);
    tree += Entry("100644", number, oid);
  }
  const std::string commit = AddCommit(pack_.Add(Type::kTree, tree));
  EXPECT_THAT(Refused(commit, seconds(45)), HasSubstr("takes too long"));
}

TEST_F(BombTest, TreeOfHalfAMillionFilesIsNotRead) {
  const std::string blob = pack_.Add(Type::kBlob, "x");
  std::string tree;
  for (int i = 1'000'000; i < 1'500'000; ++i)
    tree += Entry("100644", std::to_string(i), blob);
  EXPECT_THAT(Refused(AddCommit(pack_.Add(Type::kTree, tree)), seconds(20)),
              HasSubstr("list of files takes"));
}

TEST_F(BombTest, GzipBodyIsUnpackedUpToTheLimitOnly) {
  const std::string head = "Authorization: Basic " +
                           Base64("x-token:" + attempt_.git_password) +
                           "\r\nContent-Encoding: gzip\r\n";
  std::string body =
      PacketOf(base_ + " " + std::string(40, 'c') + " refs/heads/main" +
               std::string("\0 report-status side-band-64k", 29)) +
      "0000" + std::string(70 * kMiB, '\0');
  const std::string response = Exchange(
      web_port(),
      Post("/git/" + attempt_.repository + ".git/git-receive-pack",
           "application/x-git-receive-pack-request", Gzipped(body), head));
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_THAT(BodyOf(response), HasSubstr("larger than 64.0 MiB"));
  EXPECT_TRUE(Pushes(attempt_).empty());
}

}  // namespace
}  // namespace assay::testing
