#include "services/storage/blobs/s3_objects.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <pugixml.hpp>
#include <random>
#include <utility>

#include "proto/base/digest.h"
#include "services/storage/blobs/blob_store.h"

namespace assay::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kOk = 200;
constexpr int kNotThere = 404;
// A server may ask to be left alone for longer; the caller is not kept so long.
constexpr int kMostRetryAfter = 5;

bool IsSuccess(int status) { return status >= kOk && status < 300; }

// As Signature Version 4 writes a value of a query.
std::string Encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

// A part of `most`, so that those who failed together do not come back
// together.
milliseconds SomeOf(milliseconds most) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(std::uniform_int_distribution<milliseconds::rep>(
      most.count() / 2, most.count())(random));
}

}  // namespace

class S3Objects::Borrowed {
 public:
  explicit Borrowed(S3Objects& objects) : objects_(objects) {
    const std::lock_guard lock(objects.mutex_);
    if (!objects.shelf_.empty()) {
      connection_ = std::move(objects.shelf_.back());
      objects.shelf_.pop_back();
    }
    if (!connection_)
      connection_ =
          std::make_unique<S3Connection>(objects.settings_, objects.stop_);
  }
  ~Borrowed() {
    const std::lock_guard lock(objects_.mutex_);
    objects_.shelf_.push_back(std::move(connection_));
  }
  Borrowed(const Borrowed&) = delete;
  S3Connection* operator->() { return connection_.get(); }

 private:
  S3Objects& objects_;
  std::unique_ptr<S3Connection> connection_;
};

S3Objects::S3Objects(S3Settings settings) : settings_(std::move(settings)) {}

void S3Objects::Stop() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  stopped_.notify_all();
}

bool S3Objects::Pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, time, [this] { return stop_.load(); });
}

std::string S3Objects::KeyOf(const std::string& digest) const {
  return settings_.prefix + digest.substr(0, 2) + "/" + digest;
}

S3Objects::Answer S3Objects::SendOnce(const S3Request& request) {
  auto response = Borrowed(*this)->Send(request);
  if (!response) return std::unexpected(Explain(settings_, response.error()));
  // A copy that was put together late may fail under a 200.
  const bool failed_late = response->status == kOk &&
                           std::string_view(request.method) == "POST" &&
                           !S3ErrorCode(response->body).empty();
  if (failed_late) response->status = 500;
  const bool absent = response->status == kNotThere && !request.key.empty() &&
                      request.query.empty() &&
                      S3ErrorCode(response->body) != "NoSuchBucket";
  if (IsSuccess(response->status) || absent) return *std::move(response);
  S3Failure failure = Explain(settings_, *response);
  if (failure.passing && response->retry_after)
    Pause(std::chrono::seconds(
        std::clamp(*response->retry_after, 0, kMostRetryAfter)));
  return std::unexpected(std::move(failure));
}

S3Objects::Answer S3Objects::Send(const S3Request& request) {
  const auto& limits = settings_.limits;
  const auto last = steady_clock::now() + limits.patience;
  milliseconds pause = limits.first_pause;
  for (int attempt = 1;; ++attempt) {
    Answer answer = SendOnce(request);
    if (answer || !answer.error().passing || attempt == limits.attempts ||
        steady_clock::now() + pause > last || !Pause(SomeOf(pause)))
      return answer;
    spdlog::info("attempt {} of {}: {}", attempt, limits.attempts,
                 answer.error().error.message);
    pause = std::min(2 * pause, limits.longest_pause);
  }
}

Expected<std::optional<std::size_t>> S3Objects::SizeOf(const std::string& key) {
  const Answer answer = Send({.method = "HEAD", .key = key});
  if (!answer) return std::unexpected(answer.error().error);
  if (answer->status == kNotThere) return std::nullopt;
  return answer->length;
}

Expected<bool> S3Objects::Has(const std::string& digest) {
  if (!IsDigest(digest)) return false;
  ASSAY_ASSIGN_OR_RETURN(const auto size, SizeOf(KeyOf(digest)));
  return size.has_value();
}

Expected<std::string> S3Objects::Put(const std::string& content) {
  std::string digest = Sha256Hex(content);
  const std::string key = KeyOf(digest);
  ASSAY_ASSIGN_OR_RETURN(const auto present, SizeOf(key));
  // Another size under this name is no blob of ours, and written over.
  if (present == content.size()) return digest;
  ASSAY_RETURN_IF_ERROR(content.size() > settings_.limits.part_size
                            ? PutInParts(key, content)
                            : PutWhole(key, content));
  return digest;
}

Status S3Objects::PutWhole(const std::string& key, std::string_view content) {
  const Answer answer = Send({.method = "PUT", .key = key, .body = content});
  if (!answer) return std::unexpected(answer.error().error);
  if (answer->status == kNotThere)
    return Unavailable("the blob store ", settings_.Describe(),
                       " does not take objects (404)");
  return {};
}

Status S3Objects::PutInParts(const std::string& key, std::string_view content) {
  const Answer begun =
      Send({.method = "POST", .key = key, .query = "uploads="});
  if (!begun) return std::unexpected(begun.error().error);
  pugi::xml_document document;
  document.load_buffer(begun->body.data(), begun->body.size());
  const std::string upload =
      document.child("InitiateMultipartUploadResult").child_value("UploadId");
  if (upload.empty())
    return Unavailable("the blob store ", settings_.Describe(),
                       " begins no upload in parts: expected an UploadId");
  Status sent = SendParts(key, upload, content);
  if (!sent) {
    Abort(key, upload);
    return sent;
  }
  // Each part was held against its digest; this is about their number.
  ASSAY_ASSIGN_OR_RETURN(const auto size, SizeOf(key));
  if (size != content.size())
    return Unavailable("the blob store ", settings_.Describe(), " made ",
                       size.value_or(0), " bytes of an upload of ",
                       content.size());
  return {};
}

Status S3Objects::SendParts(const std::string& key, const std::string& upload,
                            std::string_view content) {
  std::string list = "<CompleteMultipartUpload>";
  const std::size_t part_size = settings_.limits.part_size;
  for (std::size_t number = 1; !content.empty(); ++number) {
    const std::string_view part = content.substr(0, part_size);
    content.remove_prefix(part.size());
    const Answer answer =
        Send({.method = "PUT",
              .key = key,
              .query = "partNumber=" + std::to_string(number) +
                       "&uploadId=" + Encoded(upload),
              .body = part});
    if (!answer) return std::unexpected(answer.error().error);
    pugi::xml_document entry;
    pugi::xml_node node = entry.append_child("Part");
    node.append_child("PartNumber").text().set(std::to_string(number).c_str());
    node.append_child("ETag").text().set(answer->etag.c_str());
    std::ostringstream text;
    entry.save(text, "", pugi::format_raw | pugi::format_no_declaration);
    list += text.str();
  }
  list += "</CompleteMultipartUpload>";
  const Answer done = Send({.method = "POST",
                            .key = key,
                            .query = "uploadId=" + Encoded(upload),
                            .body = list});
  if (done) return {};
  // The answer to an earlier attempt may have been lost: then the upload is
  // gone and the object there.
  ASSAY_ASSIGN_OR_RETURN(const auto size, SizeOf(key));
  if (size) return {};
  return std::unexpected(done.error().error);
}

void S3Objects::Abort(const std::string& key, const std::string& upload) {
  const Answer answer = Send(
      {.method = "DELETE", .key = key, .query = "uploadId=" + Encoded(upload)});
  if (!answer)
    spdlog::warn(
        "parts of {} stay in the bucket, and a rule of its lifecycle has to "
        "remove them: {}",
        key, answer.error().error.message);
}

Expected<std::string> S3Objects::Get(const std::string& digest) {
  if (!IsDigest(digest)) return NotFound("there is no blob \"", digest, "\"");
  // What a network or a proxy broke is read again; what stays is lost.
  for (const bool again : {true, false}) {
    Answer answer = Send({.method = "GET", .key = KeyOf(digest)});
    if (!answer) return std::unexpected(answer.error().error);
    if (answer->status == kNotThere)
      return NotFound("there is no blob \"", digest, "\"");
    if (Sha256Hex(answer->body) == digest) return std::move(answer->body);
    spdlog::warn("blob {} came back as something else{}", digest,
                 again ? "; reading it again" : "");
  }
  return DataLoss("blob ", digest, " no longer matches its name; restore ",
                  KeyOf(digest), " in ", settings_.Describe(),
                  " from a version or a backup");
}

Expected<std::vector<std::string>> S3Objects::List(const std::string& after) {
  std::string query = "list-type=2&max-keys=" + std::to_string(kListPage);
  if (!settings_.prefix.empty())
    query += "&prefix=" + Encoded(settings_.prefix);
  std::string start = IsDigest(after) ? KeyOf(after) : "";
  std::vector<std::string> digests;
  // A page may hold nothing but what is not ours.
  for (bool more = true; more && digests.empty();) {
    const Answer answer = Send(
        {.method = "GET",
         .query =
             query + (start.empty() ? "" : "&start-after=" + Encoded(start))});
    if (!answer) return std::unexpected(answer.error().error);
    pugi::xml_document document;
    document.load_buffer(answer->body.data(), answer->body.size());
    const pugi::xml_node result = document.child("ListBucketResult");
    if (!result)
      return Unavailable("the blob store ", settings_.Describe(),
                         " lists nothing that can be read: expected a "
                         "ListBucketResult");
    more = std::string_view(result.child_value("IsTruncated")) == "true";
    const std::string before = start;
    for (const pugi::xml_node entry : result.children("Contents")) {
      start = entry.child_value("Key");
      const std::string name = start.substr(start.rfind('/') + 1);
      if (IsDigest(name) && start == KeyOf(name)) digests.push_back(name);
    }
    if (start == before) break;
  }
  std::ranges::sort(digests);
  return digests;
}

S3Request S3Objects::ListOne() const {
  std::string query = "list-type=2&max-keys=1";
  if (!settings_.prefix.empty())
    query += "&prefix=" + Encoded(settings_.prefix);
  return {.method = "GET", .query = std::move(query)};
}

std::expected<void, S3Failure> S3Objects::Probe() {
  const Answer answer = SendOnce(ListOne());
  if (!answer) return std::unexpected(answer.error());
  return {};
}

std::expected<void, S3Failure> S3Objects::Reach() {
  const Answer answer = Send(ListOne());
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace assay::storage
