#include "services/cli/collector.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "services/cli/printable.h"

namespace assay::cli {
namespace {

constexpr std::string_view kPath = "/v1/traces";
constexpr long kConnectSeconds = 10;
constexpr long kSeconds = 60;
// Of what a collector says when it refuses.
constexpr std::size_t kAnswerBytes = 400;

struct CurlFreer {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string Address(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.ends_with(kPath)) url += kPath;
  return url;
}

std::size_t Keep(char* bytes, std::size_t size, std::size_t count, void* text) {
  auto& kept = *static_cast<std::string*>(text);
  const std::size_t total = size * count;
  kept.append(bytes, std::min(total, kAnswerBytes - kept.size()));
  return total;
}

}  // namespace

Status SendToCollector(const std::string& url, const std::string& json) {
  const std::unique_ptr<CURL, CurlFreer> curl(curl_easy_init());
  if (!curl) return Internal("libcurl does not start");
  const std::unique_ptr<curl_slist, CurlFreer> headers(curl_slist_append(
      curl_slist_append(nullptr, "Content-Type: application/json"), "Expect:"));
  const std::string address = Address(url);
  std::string said;
  CURL* const c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, address.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, json.data());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(json.size()));
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, Keep);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &said);
  const CURLcode result = curl_easy_perform(c);
  if (result != CURLE_OK) {
    return Unavailable("no answer from ", address, " (",
                       curl_easy_strerror(result),
                       "); --collector takes an OTLP/HTTP address, such as "
                       "http://127.0.0.1:4318");
  }
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {};
  return FailedPrecondition(address, " answered with HTTP ", status,
                            said.empty() ? "" : ": ", Printable(said));
}

}  // namespace assay::cli
