#include "services/storage/blobs/s3_settings.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "services/storage/blobs/open_blobs.h"
#include "services/storage/blobs/s3_failure.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;

class S3SettingsTest : public ::testing::Test {
 protected:
  Expected<S3Settings> Read(const std::string& location,
                            const std::string& endpoint = "",
                            const std::string& region = "") {
    return ReadS3Settings({location, endpoint, region},
                          [this](const char* name) { return set_[name]; });
  }
  Expected<S3Credentials> Credentials() {
    return ReadS3Credentials([this](const char* name) { return set_[name]; });
  }

  std::map<std::string, std::string> set_ = {{"AWS_ACCESS_KEY_ID", "k"},
                                             {"AWS_SECRET_ACCESS_KEY", "s"}};
  testing::TemporaryDirectory root_;
};

TEST_F(S3SettingsTest, ReadsBucketPrefixEndpointAndRegion) {
  const auto plain = Read("s3://assay-blobs");
  ASSERT_TRUE(plain) << plain.error();
  EXPECT_EQ(plain->bucket, "assay-blobs");
  EXPECT_EQ(plain->prefix, "");
  EXPECT_EQ(plain->endpoint, "https://s3.us-east-1.amazonaws.com");

  const auto full =
      Read("s3://b-1/hiring/2026/", "http://127.0.0.1:9000/", "eu-west-3");
  ASSERT_TRUE(full) << full.error();
  EXPECT_EQ(full->prefix, "hiring/2026/");
  EXPECT_EQ(full->endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(full->region, "eu-west-3");
  EXPECT_EQ(full->Describe(), "s3://b-1/hiring/2026 at http://127.0.0.1:9000");
}

TEST_F(S3SettingsTest, FallsBackToWhatOtherToolsRead) {
  set_["AWS_REGION"] = "eu-central-1";
  EXPECT_EQ(Read("s3://bucket")->endpoint,
            "https://s3.eu-central-1.amazonaws.com");
  set_["AWS_ENDPOINT_URL_S3"] = "https://s3.example";
  EXPECT_EQ(Read("s3://bucket")->endpoint, "https://s3.example");
  set_["AWS_REGION"] = "";
  set_["AWS_DEFAULT_REGION"] = "sa-east-1";
  EXPECT_EQ(Read("s3://bucket")->region, "sa-east-1");
}

TEST_F(S3SettingsTest, RefusesWhatIsNoPlace) {
  for (const char* location :
       {"", "bucket", "http://bucket", "s3://", "s3://A", "s3://a/../b",
        "s3://bucket//x", "s3://bucket/ä", "s3://bucket/a b"})
    EXPECT_THAT(Read(location), FailsWith(Code::kInvalidArgument)) << location;
  for (const char* endpoint :
       {"host:80", "ftp://host", "http://", "http://host/path", "http://h?x"})
    EXPECT_THAT(Read("s3://bucket", endpoint),
                FailsWith(Code::kInvalidArgument))
        << endpoint;
  EXPECT_THAT(Read("s3://bucket", "", "eu:west"),
              FailsWith(Code::kInvalidArgument));
}

TEST_F(S3SettingsTest, TakesCredentialsOfTheEnvironmentFirst) {
  set_["AWS_SESSION_TOKEN"] = "t";
  const auto found = Credentials();
  EXPECT_EQ(found->key + found->secret + found->token, "kst");
  set_["AWS_SECRET_ACCESS_KEY"] = "";
  const auto half = Credentials();
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error().message, HasSubstr("expected both"));
}

TEST_F(S3SettingsTest, ReadsTheSharedFileAndItsProfiles) {
  const std::string path = (root_.path() / "credentials").string();
  set_ = {{"AWS_SHARED_CREDENTIALS_FILE", path}};
  const auto none = Credentials();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(none.error().message, HasSubstr(path));

  std::ofstream(path) << "# ours\n[default]\naws_access_key_id = A\n"
                         "aws_secret_access_key=B=\r\n\n[ci]\n"
                         "aws_access_key_id=C\n";
  EXPECT_EQ(Credentials()->key + Credentials()->secret, "AB=");
  set_["AWS_PROFILE"] = "ci";
  EXPECT_THAT(Credentials(), FailsWith(Code::kInvalidArgument));
  set_["AWS_PROFILE"] = "nobody";
  EXPECT_THAT(Credentials().error().message, HasSubstr("[nobody]"));
}

TEST_F(S3SettingsTest, SaysWhatToDoAboutEachAnswer) {
  const S3Settings settings = *Read("s3://bucket", "http://h", "eu-west-3");
  const auto say = [&](int status, const std::string& body) {
    S3Response response;
    response.status = status;
    response.body = body;
    response.ahead = std::chrono::seconds(900);
    return Explain(settings, response);
  };
  const auto error = [](const std::string& code, const std::string& more = "") {
    return "<Error><Code>" + code + "</Code>" + more + "</Error>";
  };
  const struct {
    int status;
    std::string body;
    std::string words;
    bool passing;
  } cases[] = {
      {403, error("InvalidAccessKeyId"), "check AWS_ACCESS_KEY_ID", false},
      {403, error("SignatureDoesNotMatch"), "check AWS_ACCESS_KEY_ID", false},
      {400, error("ExpiredToken"), "AWS_SESSION_TOKEN", false},
      {403, error("RequestTimeTooSkewed"),
       "900 s behind its own; set the clock", false},
      {301, error("PermanentRedirect"), "--s3-region", false},
      {400, error("AuthorizationHeaderMalformed", "<Region>eu-x-1</Region>"),
       "say --s3-region eu-x-1", false},
      {404, error("NoSuchBucket"), "no bucket \"bucket\"", false},
      {403, error("AccessDenied"), "PutObject", false},
      {403, "", "PutObject", false},
      {503, error("SlowDown"), "503 SlowDown", true},
      {500, "<html>", "500", true},
      {429, "", "429", true},
      {418, error("Teapot", "<Message>a\nb</Message>"), "Teapot: a b", false},
  };
  for (const auto& each : cases) {
    const S3Failure failure = say(each.status, each.body);
    EXPECT_THAT(failure.error.message, HasSubstr(each.words)) << each.body;
    EXPECT_EQ(failure.error.message.find('\n'), std::string::npos);
    EXPECT_EQ(failure.passing, each.passing) << each.body;
    EXPECT_EQ(failure.error.code, Code::kUnavailable);
  }
}

// Nobody listens there. A data directory that took its word for it could not be
// started with the right one.
TEST(OpenBlobsTest, ABucketThatNeverAnsweredIsNotTheDataDirectorys) {
  const testing::TemporaryDirectory data_dir;
  setenv("AWS_ACCESS_KEY_ID", "k", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
  const BlobPlace down{"s3://blobs", "http://127.0.0.1:1", "eu-test-1"};
  EXPECT_THAT(OpenBlobs(down, data_dir.path()),
              FailsWith(Code::kUnavailable, "nothing was written"));
  EXPECT_TRUE(std::filesystem::is_empty(data_dir.path()));
  EXPECT_TRUE(OpenBlobs({}, data_dir.path()).has_value());

  // One that it goes with is waited for.
  const testing::TemporaryDirectory used;
  ASSERT_TRUE(WriteBlobsPlace(used.path(), down.location).has_value());
  EXPECT_TRUE(OpenBlobs(down, used.path()).has_value());
  unsetenv("AWS_ACCESS_KEY_ID");
  unsetenv("AWS_SECRET_ACCESS_KEY");
}

}  // namespace
}  // namespace assay::storage
