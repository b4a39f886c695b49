// An S3 server that breaks off, is busy, slow, down, or not the right one.

#include <fstream>

#include "proto/base/digest.h"
#include "services/storage/blobs/s3.h"
#include "tests/services/storage/s3_blobs.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using testing::Await;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// The parameter is where it lives; none without ASSAY_STORE_TESTS=s3.
class S3FaultsTest : public ::testing::TestWithParam<const char*> {
 protected:
  S3FaultsTest() {
    server_.Heal();
    settings_.prefix = directory_.path().filename().string() + "/";
    server_.TakeLog();
  }
  std::unique_ptr<BlobStore> Open() { return OpenS3Blobs(settings_).value(); }
  std::string FileOf(const std::string& digest) const {
    return server_.FileOf(settings_.prefix + digest.substr(0, 2) + "/" +
                          digest);
  }

  testing::TemporaryDirectory directory_;  // for its name
  tests::S3Server& server_ = SharedS3();
  S3Settings settings_ = SharedS3Settings();
};

// Without a server there is nothing to run.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(S3FaultsTest);
INSTANTIATE_TEST_SUITE_P(
    S3, S3FaultsTest,
    ::testing::ValuesIn(HaveS3() ? std::vector<const char*>{"S3"}
                                 : std::vector<const char*>{}));

// What each fault costs is another attempt, and nothing else.
TEST_P(S3FaultsTest, WhatPassesIsTriedAgain) {
  const auto blobs = Open();
  const std::string big(150'000, 'x');
  for (const char* fault :
       {R"({"kind": "slow_down", "times": 2})",
        R"({"kind": "cut_upload", "method": "PUT", "times": 2})",
        R"({"kind": "lose_answer", "times": 2})",
        R"({"kind": "lose_answer", "method": "POST", "match": "uploadId"})",
        R"({"kind": "late_error", "method": "POST", "match": "uploadId"})",
        R"({"kind": "cut_upload", "match": "partNumber=2", "times": 3})",
        R"({"kind": "hang", "method": "PUT"})"}) {
    server_.Break(fault);
    const std::string content = big + fault;
    const auto digest = Await(blobs->Put(content));
    ASSERT_TRUE(digest) << fault << ": " << digest.error();
    EXPECT_EQ(Await(blobs->Get(*digest)), content) << fault;
    server_.Heal();
  }
  EXPECT_EQ(server_.UnfinishedUploads(), 0);
}

TEST_P(S3FaultsTest, AnAnswerThatBreaksOffIsReadAgain) {
  const auto blobs = Open();
  const std::string content(100'000, 'y');
  const std::string digest = *Await(blobs->Put(content));
  for (const char* kind : {"cut_answer", "garble", "lose_answer"}) {
    server_.Break(std::string(R"({"method": "GET", "kind": ")") + kind + "\"}");
    EXPECT_EQ(Await(blobs->Get(digest)), content) << kind;
  }
}

TEST_P(S3FaultsTest, AttemptsAreBoundedAndTheUploadIsTakenBack) {
  const auto blobs = Open();
  server_.Break(R"({"kind": "slow_down", "match": "partNumber=2",
                    "times": 1000})");
  const auto failed = Await(blobs->Put(std::string(150'000, 'z')));
  ASSERT_THAT(failed, FailsWith(Code::kUnavailable));
  EXPECT_THAT(failed.error().message, HasSubstr("503 SlowDown"));
  const std::string log = server_.TakeLog();
  EXPECT_THAT(log, HasSubstr("DELETE "));
  std::size_t attempts = 0;
  for (std::size_t at = 0;
       (at = log.find("partNumber=2", at)) != std::string::npos; ++at)
    ++attempts;
  EXPECT_EQ(attempts, 5);
  EXPECT_EQ(server_.UnfinishedUploads(), 0);
}

TEST_P(S3FaultsTest, ARepeatSendsNoContent) {
  const auto blobs = Open();
  ASSERT_TRUE(Await(blobs->Put("content")));
  server_.TakeLog();
  ASSERT_TRUE(Await(blobs->Put("content")));
  EXPECT_THAT(server_.TakeLog(), Not(HasSubstr("PUT")));
}

TEST_P(S3FaultsTest, ContentThatWasChangedIsFound) {
  const auto blobs = Open();
  const std::string digest = *Await(blobs->Put("honest"));
  std::ofstream(FileOf(digest)) << "forged";
  const auto read = Await(blobs->Get(digest));
  ASSERT_THAT(read, FailsWith(Code::kDataLoss));
  EXPECT_THAT(read.error().message, HasSubstr("s3://blobs/"));
  // Another size is written over.
  std::ofstream(FileOf(digest)) << "half";
  ASSERT_TRUE(Await(blobs->Put("honest")));
  EXPECT_EQ(Await(blobs->Get(digest)), "honest");
}

TEST_P(S3FaultsTest, WhatSomebodyHasToChangeIsRefusedAtTheStart) {
  const auto problem = [](S3Settings settings) {
    const auto opened = OpenS3Blobs(std::move(settings));
    if (opened) return std::string("it opened");
    EXPECT_EQ(opened.error().code, Code::kFailedPrecondition);
    return opened.error().message;
  };
  S3Settings other = settings_;
  other.credentials = [] { return S3Credentials{"S3RVER", "wrong", ""}; };
  EXPECT_THAT(problem(other), HasSubstr("SignatureDoesNotMatch"));
  other.credentials = [] { return S3Credentials{"nobody", "x", ""}; };
  EXPECT_THAT(problem(other), HasSubstr("InvalidAccessKeyId"));
  other = settings_;
  other.bucket = "another";
  EXPECT_THAT(problem(other), HasSubstr("has no bucket \"another\""));
  other = settings_;
  other.region = "us-east-1";
  EXPECT_THAT(problem(other), HasSubstr("say --s3-region eu-test-1"));
  server_.Break(R"({"kind": "skewed"})");
  EXPECT_THAT(problem(settings_), HasSubstr("behind its own; set the clock"));
  server_.Break(R"({"kind": "denied"})");
  EXPECT_THAT(problem(settings_), HasSubstr("does not permit it"));
}

TEST_P(S3FaultsTest, CredentialsMayChangeUnderARunningServer) {
  auto secret = std::make_shared<std::string>("old");
  S3Settings settings = settings_;
  *secret = "S3RVER";
  settings.credentials = [secret] {
    return S3Credentials{"S3RVER", *secret, ""};
  };
  const auto blobs = OpenS3Blobs(settings).value();
  *secret = "revoked";
  EXPECT_THAT(Await(blobs->Put("content")), FailsWith(Code::kUnavailable));
  *secret = "S3RVER";
  EXPECT_TRUE(Await(blobs->Put("content")));
}

TEST_P(S3FaultsTest, ATokenIsSignedWithTheRest) {
  settings_.credentials = [] {
    return S3Credentials{"S3RVER", "S3RVER", "temporary/token+with="};
  };
  const auto blobs = Open();
  const auto digest = Await(blobs->Put(std::string(150'000, 't')));
  ASSERT_TRUE(digest) << digest.error();
}

TEST_P(S3FaultsTest, AServerThatIsDownIsWaitedForAndComesBack) {
  auto server = tests::S3Server::Start().value();
  S3Settings settings = SettingsFor(*server);
  const auto blobs = OpenS3Blobs(settings).value();
  const std::string digest = *Await(blobs->Put("before"));
  server->Stop();
  const auto failed = Await(blobs->Put("during"));
  ASSERT_THAT(failed, FailsWith(Code::kUnavailable));
  EXPECT_THAT(failed.error().message, HasSubstr("does not answer"));
  EXPECT_THAT(Await(blobs->Get(digest)), FailsWith(Code::kUnavailable));
  // A coordinator that starts meanwhile starts.
  const auto another = OpenS3Blobs(settings);
  ASSERT_TRUE(another) << another.error();
  ASSERT_TRUE(server->Restart());
  EXPECT_EQ(Await(blobs->Get(digest)), "before");
  EXPECT_TRUE(Await(blobs->Put("during")));
  EXPECT_EQ(Await((*another)->Get(digest)), "before");
}

TEST_P(S3FaultsTest, AStoreThatHangsEndsInTimeAndHoldsUpNoOther) {
  settings_.limits.patience = std::chrono::seconds(2);
  const auto blobs = Open();
  const std::string digest = *Await(blobs->Put("content"));
  server_.Break(R"({"kind": "hang", "method": "HEAD", "times": 1000})");
  testing::EventLoop loop;
  bool ended = false;
  boost::asio::co_spawn(loop.context(), blobs->Put("other"),
                        [&](std::exception_ptr, auto result) {
                          EXPECT_THAT(result, FailsWith(Code::kUnavailable));
                          ended = true;
                        });
  EXPECT_EQ(loop.Await(blobs->Get(digest)), "content");
  EXPECT_FALSE(ended);
  loop.RunUntil([&] { return ended; });
}

TEST_P(S3FaultsTest, ClosingDoesNotWaitForAServerThatHangs) {
  settings_.limits.silence = std::chrono::minutes(5);
  auto blobs = Open();
  server_.Break(R"({"kind": "hang", "method": "HEAD", "times": 1000})");
  testing::EventLoop loop;
  bool ended = false;
  boost::asio::co_spawn(loop.context(), blobs->Has(std::string(64, 'a')),
                        [&](std::exception_ptr, auto result) {
                          EXPECT_THAT(result, FailsWith(Code::kUnavailable));
                          ended = true;
                        });
  loop.RunReady();
  // Its request is on the way or about to be.
  blobs.reset();
  loop.RunUntil([&] { return ended; });
}

}  // namespace
}  // namespace assay::storage
