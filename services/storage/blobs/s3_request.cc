#include "services/storage/blobs/s3_request.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <ctime>
#include <mutex>

#include "proto/base/digest.h"

namespace assay::storage {
namespace {

// Far more than an answer without content has.
constexpr std::size_t kMostOfAnAnswer = std::size_t{4} << 20;
// Fewer bytes in a second are taken for silence.
constexpr long kSilent = 1024;
// What a transfer may take beside its silence: bytes in a second.
constexpr std::size_t kSlowest = std::size_t{64} << 10;

struct Transfer {
  const std::atomic<bool>* stop = nullptr;
  std::string_view unsent;
  std::string_view body;
  std::size_t most = 0;
  bool too_much = false;
  S3Response response;
};

std::size_t Receive(char* bytes, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.response.body.size() + size > transfer.most) {
    transfer.too_much = true;
    return 0;
  }
  transfer.response.body.append(bytes, size);
  return size;
}

std::size_t Give(char* to, std::size_t one, std::size_t room, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t size = std::min(one * room, transfer.unsent.size());
  std::memcpy(to, transfer.unsent.data(), size);
  transfer.unsent.remove_prefix(size);
  return size;
}

// When a kept connection turns out to be dead, libcurl begins again.
int Rewind(void* user, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (origin != SEEK_SET ||
      offset > static_cast<curl_off_t>(transfer.body.size()))
    return CURL_SEEKFUNC_FAIL;
  transfer.unsent = transfer.body.substr(static_cast<std::size_t>(offset));
  return CURL_SEEKFUNC_OK;
}

int MayGoOn(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->stop->load() ? 1 : 0;
}

template <class T>
std::optional<T> Number(const std::string& text) {
  T value{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::size_t ReadField(char* bytes, std::size_t, std::size_t size, void* user) {
  S3Response& response = static_cast<Transfer*>(user)->response;
  const std::string line(bytes, size);
  if (line.starts_with("HTTP/")) {
    // After a "100 Continue" comes another one.
    const int status = response.status;
    response = {};
    response.status = status;
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string::npos) return size;
  std::string name = line.substr(0, colon);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  const auto begin = line.find_first_not_of(" \t", colon + 1);
  const auto end = line.find_last_not_of(" \t\r\n");
  if (begin == std::string::npos || end < begin) return size;
  const std::string value = line.substr(begin, end - begin + 1);
  if (name == "etag") response.etag = value;
  if (name == "content-length") response.length = Number<std::size_t>(value);
  if (name == "retry-after") response.retry_after = Number<int>(value);
  if (name == "x-amz-bucket-region") response.region = value;
  if (name == "date")
    if (const std::time_t at = curl_getdate(value.c_str(), nullptr); at > 0)
      response.ahead = std::chrono::seconds(at - std::time(nullptr));
  return size;
}

struct CurlFields {
  ~CurlFields() { curl_slist_free_all(list); }
  void Add(const std::string& field) {
    list = curl_slist_append(list, field.c_str());
  }
  curl_slist* list = nullptr;
};

bool MayPass(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_ABORTED_BY_CALLBACK:
      return false;
    default:
      return true;
  }
}

}  // namespace

struct S3Connection::State {
  State() : curl(curl_easy_init()) {}
  ~State() { curl_easy_cleanup(curl); }
  CURL* curl;
  char problem[CURL_ERROR_SIZE] = {};
};

S3Connection::S3Connection(const S3Settings& settings,
                           const std::atomic<bool>& stop)
    : settings_(settings), stop_(stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_ = std::make_unique<State>();
}

S3Connection::~S3Connection() = default;

std::expected<S3Response, S3Silence> S3Connection::Send(
    const S3Request& request) {
  const auto credentials = settings_.credentials();
  if (!credentials)
    return std::unexpected(S3Silence{credentials.error().message, false});
  CURL* curl = state_->curl;
  // Keeps the connection.
  curl_easy_reset(curl);
  const bool sends = std::string_view(request.method) == "PUT" ||
                     std::string_view(request.method) == "POST";
  const bool head = std::string_view(request.method) == "HEAD";
  Transfer transfer{.stop = &stop_,
                    .unsent = request.body,
                    .body = request.body,
                    .most = request.query.empty()
                                ? settings_.limits.largest_blob
                                : kMostOfAnAnswer};
  const std::string url = settings_.endpoint + "/" + settings_.bucket +
                          (request.key.empty() ? "" : "/" + request.key) +
                          (request.query.empty() ? "" : "?" + request.query);
  const std::string signing = "aws:amz:" + settings_.region + ":s3";
  CurlFields fields;
  fields.Add("x-amz-content-sha256: " + Sha256Hex(request.body));
  if (!credentials->token.empty())
    fields.Add("x-amz-security-token: " + credentials->token);
  if (sends) fields.Add("Content-Type: application/octet-stream");

  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, state_->problem);
  state_->problem[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.list);
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signing.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, credentials->key.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials->secret.c_str());
  if (!settings_.ca_file.empty())
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method);
  if (head) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (sends) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, Give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, Rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, ReadField);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, MayGoOn);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  const auto& limits = settings_.limits;
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(limits.connect_timeout.count()));
  // Counted in whole seconds.
  const auto silence = std::chrono::ceil<std::chrono::seconds>(limits.silence);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSilent);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(silence.count()));
  const std::size_t bytes =
      sends ? request.body.size() : (head ? 0 : transfer.most);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(limits.connect_timeout.count() +
                                     2 * limits.silence.count()) +
                       static_cast<long>(bytes / kSlowest * 1000));

  const CURLcode code = curl_easy_perform(curl);
  if (transfer.too_much)
    return std::unexpected(
        S3Silence{"it answers with more than a blob may have", false});
  if (code != CURLE_OK)
    return std::unexpected(
        S3Silence{*state_->problem ? state_->problem : curl_easy_strerror(code),
                  MayPass(code)});
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  return std::move(transfer.response);
}

}  // namespace assay::storage
