#include "services/storage/blobs/s3_failure.h"

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

namespace assay::storage {
namespace {

// What is shown of a server's own words.
constexpr std::size_t kMostWords = 200;

struct S3Words {
  std::string code;
  std::string message;
  std::string region;
};

std::string Bounded(const char* text) {
  std::string words(text);
  words.resize(std::min(words.size(), kMostWords));
  std::ranges::replace_if(
      words, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return words;
}

S3Words WordsOf(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node error = document.child("Error");
  return {Bounded(error.child_value("Code")),
          Bounded(error.child_value("Message")),
          Bounded(error.child_value("Region"))};
}

S3Failure Setup(std::string text) {
  return {{Code::kUnavailable, std::move(text)}, false, true};
}

bool IsOneOf(const std::string& code,
             std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

}  // namespace

std::string S3ErrorCode(const std::string& body) { return WordsOf(body).code; }

S3Failure Explain(const S3Settings& settings, const S3Silence& silence) {
  return {{Code::kUnavailable, "the blob store " + settings.Describe() +
                                   " does not answer: " + silence.why +
                                   "; check --s3-endpoint, and that it is up"},
          silence.passing,
          !silence.passing};
}

S3Failure Explain(const S3Settings& settings, const S3Response& response) {
  const std::string place = "the blob store " + settings.Describe();
  S3Words words = WordsOf(response.body);
  if (words.region.empty()) words.region = response.region;
  const std::string& code = words.code;
  if (code == "RequestTimeTooSkewed")
    return Setup(place + " refuses requests because this machine's clock is " +
                 (response.ahead
                      ? std::to_string(std::abs(response.ahead->count())) +
                            " s " +
                            (response.ahead->count() > 0 ? "behind its own"
                                                         : "ahead of its own")
                      : std::string("not the same as its own")) +
                 "; set the clock (NTP)");
  if (IsOneOf(code, {"AuthorizationHeaderMalformed", "PermanentRedirect",
                     "IllegalLocationConstraintException"}) ||
      response.status == 301 || response.status == 307)
    return Setup(place + " is not in region \"" + settings.region + "\"" +
                 (words.region.empty() ? "; name the bucket's in --s3-region"
                                       : "; say --s3-region " + words.region));
  if (IsOneOf(code, {"InvalidAccessKeyId", "SignatureDoesNotMatch",
                     "ExpiredToken", "InvalidToken", "TokenRefreshRequired"}))
    return Setup(place + " refuses the credentials (" + code +
                 "); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                 "AWS_SESSION_TOKEN, or the shared credentials file");
  if (response.status == 401 || response.status == 403)
    return Setup(place + " does not permit it (" +
                 (code.empty() ? "403" : code) +
                 "); the credentials need ListBucket, GetObject, PutObject "
                 "and AbortMultipartUpload on the bucket");
  if (code == "NoSuchBucket")
    return Setup(place + " has no bucket \"" + settings.bucket +
                 "\"; make it, or name another in --blobs");
  const bool passing =
      response.status >= 500 || response.status == 429 ||
      response.status == 408 ||
      IsOneOf(code, {"RequestTimeout", "SlowDown", "InternalError",
                     "OperationAborted", "XAmzContentSHA256Mismatch",
                     "BadDigest", "IncompleteBody"});
  return {{Code::kUnavailable,
           place + " answered " + std::to_string(response.status) +
               (code.empty() ? "" : " " + code) +
               (words.message.empty() ? "" : ": " + words.message) +
               (passing ? "; it is asked again by itself"
                        : "; see the S3 server's log")},
          passing,
          false};
}

}  // namespace assay::storage
