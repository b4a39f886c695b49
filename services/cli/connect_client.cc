#include "services/cli/connect_client.h"

#include <curl/curl.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "proto/base/tls_finding.h"
#include "services/cli/console.h"

namespace assay::cli {
namespace {

using google::protobuf::Message;

// A frame that says more than this is none of our server's.
constexpr std::size_t kLongestFrame = 64u << 20;
constexpr unsigned char kEndFlag = 2;
constexpr int kFrameHead = 5;
constexpr std::chrono::milliseconds kConnectTimeout = std::chrono::seconds(10);

struct CurlFreer {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlFreer>;
using HeaderList = std::unique_ptr<curl_slist, CurlFreer>;

Code CodeFromName(const std::string& name) {
  for (int code = 1; code <= 16; ++code) {
    if (ConnectCodeName(static_cast<Code>(code)) == name)
      return static_cast<Code>(code);
  }
  return Code::kUnknown;
}

// {"code":"not_found","message":"..."}, as far as it is that.
Error ErrorFrom(const nlohmann::json& json) {
  Error error{Code::kUnknown, "the server refused without saying why"};
  if (!json.is_object()) return error;
  if (const auto code = json.find("code");
      code != json.end() && code->is_string())
    error.code = CodeFromName(code->get<std::string>());
  if (const auto message = json.find("message");
      message != json.end() && message->is_string())
    error.message = message->get<std::string>();
  return error;
}

Status ParseInto(std::string_view json, Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  message.Clear();
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &message,
      options);
  if (status.ok()) return {};
  return Internal("the server's answer is no ",
                  message.GetDescriptor()->name());
}

std::string Frame(std::string_view json) {
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0})
    frame += static_cast<char>(json.size() >> shift & 0xff);
  return frame.append(json);
}

using Sink = std::function<bool(std::string_view)>;

std::size_t OnBytes(char* bytes, std::size_t size, std::size_t count,
                    void* sink) {
  const std::size_t total = size * count;
  return (*static_cast<Sink*>(sink))({bytes, total}) ? total : 0;
}

// One POST. Answers with the status; the body goes to `sink`.
struct Post {
  std::string url;
  std::string token;
  std::string ca_file;
  std::string type;
  std::string body;
  // Zero: as long as it takes.
  std::chrono::milliseconds timeout{0};
};

struct Answer {
  long status = 0;
  CURLcode result = CURLE_OK;
};

Expected<Answer> Send(const Post& post, Sink sink) {
  const CurlHandle curl(curl_easy_init());
  if (!curl) return Internal("libcurl does not start");
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    list = curl_slist_append(list, line.c_str());
  };
  add("Content-Type: " + post.type);
  add("Connect-Protocol-Version: 1");
  add("Expect:");
  if (!post.token.empty()) add("Authorization: Bearer " + post.token);
  const HeaderList headers(list);
  CURL* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, post.url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, post.body.data());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(post.body.size()));
  if (!post.ca_file.empty())
    curl_easy_setopt(c, CURLOPT_CAINFO, post.ca_file.c_str());
  curl_easy_setopt(c, CURLOPT_SSLVERSION,
                   static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(kConnectTimeout.count()));
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(post.timeout.count()));
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, OnBytes);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &sink);
  Answer answer;
  answer.result = curl_easy_perform(c);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

// "assay.example:7080" of "https://assay.example:7080/path".
std::string AddressOf(const std::string& url) {
  const auto begin = url.find("://") + 3;
  std::string address = url.substr(begin, url.find('/', begin) - begin);
  if (address.rfind(':') == std::string::npos || address.ends_with(']'))
    address += url.starts_with("https") ? ":443" : ":80";
  return address;
}

// Our own server's word to whoever speaks plain text to a port with TLS.
bool WantsTls(std::string_view body) {
  return body.starts_with("this port speaks TLS");
}

}  // namespace

std::string MethodOf(const Message& request) {
  const auto* type = request.GetDescriptor();
  const auto* file = type->file();
  for (int i = 0; i < file->service_count(); ++i) {
    const auto* service = file->service(i);
    for (int k = 0; k < service->method_count(); ++k) {
      if (service->method(k)->input_type() == type)
        return service->full_name() + "/" + service->method(k)->name();
    }
  }
  return "";
}

ConnectFrames::ConnectFrames(OnMessage on_message)
    : on_message_(std::move(on_message)),
      status_(Unavailable("the connection was cut")) {}

bool ConnectFrames::Feed(std::string_view bytes) {
  pending_.append(bytes);
  while (pending_.size() >= kFrameHead) {
    std::size_t size = 0;
    for (int i = 1; i < kFrameHead; ++i)
      size = size << 8 | static_cast<unsigned char>(pending_[i]);
    if (size > kLongestFrame) {
      status_ = Internal("a frame of ", size, " bytes is none of Assay's");
      return false;
    }
    if (pending_.size() < kFrameHead + size) return true;
    const std::string content = pending_.substr(kFrameHead, size);
    const auto flags = static_cast<unsigned char>(pending_[0]);
    pending_.erase(0, kFrameHead + size);
    if (!TakeFrame(flags, content)) return false;
  }
  return true;
}

bool ConnectFrames::TakeFrame(unsigned char flags, std::string_view content) {
  if ((flags & kEndFlag) == 0) {
    stopped_ = !on_message_(content);
    return !stopped_;
  }
  const auto end = nlohmann::json::parse(content, nullptr, false);
  if (end.is_object() && end.contains("error"))
    status_ = std::unexpected(ErrorFrom(end["error"]));
  else
    status_ = Status();
  return true;
}

ConnectClient::ConnectClient(std::string url, std::string token,
                             std::string ca_file)
    : url_(std::move(url)),
      token_(std::move(token)),
      ca_file_(std::move(ca_file)) {
  while (url_.ends_with('/')) url_.pop_back();
}

Error ConnectClient::NoAnswer(int result) const {
  const bool late = result == CURLE_OPERATION_TIMEDOUT;
  if (url_.starts_with("https://") && !late) {
    const TlsFinding found = LookAtTls(AddressOf(url_), ca_file_);
    if (found.kind == TlsFinding::Kind::kPlainText)
      return {Code::kUnavailable,
              AddressOf(url_) +
                  " speaks no TLS: write http:// instead of https://"};
    if (found.kind == TlsFinding::Kind::kBad)
      return {Code::kUnavailable, found.problem};
  }
  return {late ? Code::kDeadlineExceeded : Code::kUnavailable,
          "no answer from " + url_ + " (" +
              curl_easy_strerror(static_cast<CURLcode>(result)) +
              "); check the link, your network, and any proxy"};
}

Status ConnectClient::Unary(const Message& request, Message& response,
                            std::chrono::milliseconds timeout) const {
  std::string body;
  ASSAY_ASSIGN_OR_RETURN(const Answer answer,
                         Send({.url = url_ + "/" + MethodOf(request),
                               .token = token_,
                               .ca_file = ca_file_,
                               .type = "application/json",
                               .body = ToJson(request, false),
                               .timeout = timeout},
                              [&body](std::string_view bytes) {
                                body.append(bytes);
                                return body.size() <= kLongestFrame;
                              }));
  if (answer.result != CURLE_OK)
    return std::unexpected(NoAnswer(answer.result));
  if (answer.status == 200) return ParseInto(body, response);
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object()) return std::unexpected(ErrorFrom(json));
  if (WantsTls(body))
    return Unavailable(url_, " speaks TLS: write https:// instead of http://");
  return Unavailable(url_, " answered with HTTP ", answer.status,
                     "; is that an Assay server's address?");
}

Status ConnectClient::Stream(const Message& request, Message& response,
                             const std::function<bool()>& on_message) const {
  Status parsed;
  ConnectFrames frames([&](std::string_view json) {
    parsed = ParseInto(json, response);
    return parsed && on_message();
  });
  bool wants_tls = false;
  ASSAY_ASSIGN_OR_RETURN(const Answer answer,
                         Send({.url = url_ + "/" + MethodOf(request),
                               .token = token_,
                               .ca_file = ca_file_,
                               .type = "application/connect+json",
                               .body = Frame(ToJson(request, false))},
                              [&](std::string_view bytes) {
                                wants_tls |= WantsTls(bytes);
                                return frames.Feed(bytes);
                              }));
  if (wants_tls)
    return Unavailable(url_, " speaks TLS: write https:// instead of http://");
  if (!parsed) return parsed;
  if (frames.stopped()) return {};
  if (answer.status != 200 && answer.result == CURLE_OK)
    return Unavailable(url_, " answered with HTTP ", answer.status);
  if (answer.result != CURLE_OK && answer.status == 0)
    return std::unexpected(NoAnswer(answer.result));
  return frames.status();
}

}  // namespace assay::cli
