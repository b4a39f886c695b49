#include "services/notify/courier.h"

#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "proto/base/digest.h"

namespace assay::notify {
namespace {

using storage::NotificationRecord;

struct CurlFreer {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlFreer>;
using List = std::unique_ptr<curl_slist, CurlFreer>;

std::string Base64(std::string_view bytes) {
  std::string text(
      sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL),
      '\0');
  sodium_bin2base64(text.data(), text.size(),
                    reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.resize(std::strlen(text.c_str()));
  return text;
}

// RFC 2047: whatever the text is, the header line holds letters and digits
// only. In pieces, since an encoded word has 75 characters at most; cut
// between characters of UTF-8.
std::string HeaderText(std::string_view text) {
  constexpr std::size_t kPiece = 42;
  std::string header;
  while (!text.empty()) {
    std::size_t size = std::min(kPiece, text.size());
    while (size > 1 && size < text.size() && (text[size] & 0xc0) == 0x80)
      --size;
    if (!header.empty()) header += "\r\n ";
    header += "=?UTF-8?B?" + Base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return header;
}

// Of an address: what could end the line, or the address.
std::string AddressText(std::string_view address) {
  std::string kept;
  for (const char c : address)
    if (c > ' ' && c != '<' && c != '>' && c != '\x7f') kept += c;
  return kept;
}

// Lines of 76 characters, as RFC 2045 asks.
std::string BodyText(std::string_view body) {
  const std::string encoded = Base64(body);
  std::string lines;
  for (std::size_t at = 0; at < encoded.size(); at += 76)
    lines += encoded.substr(at, 76) + "\r\n";
  return lines;
}

struct Upload {
  std::string_view left;
};

std::size_t ReadMail(char* buffer, std::size_t size, std::size_t count,
                     void* data) {
  Upload& upload = *static_cast<Upload*>(data);
  const std::size_t taken = std::min(size * count, upload.left.size());
  std::memcpy(buffer, upload.left.data(), taken);
  upload.left.remove_prefix(taken);
  return taken;
}

std::size_t Ignore(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

void SetCommon(CURL* curl, const Ways& ways, const std::string& url) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(ways.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Ignore);
}

Status Problem(CURL* curl, CURLcode result, const char* what) {
  if (result == CURLE_OK) return {};
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  return Unavailable(what, ": ", curl_easy_strerror(result),
                     code == 0 ? "" : fmt::format(" (answer {})", code));
}

// "smtp://127.0.0.1:25": what goes there passes no wire.
bool IsLoopback(const std::string& url) {
  std::string_view host(url);
  if (const auto at = host.find("://"); at != host.npos)
    host.remove_prefix(at + 3);
  if (const auto at = host.find('@'); at != host.npos)
    host.remove_prefix(at + 1);
  host = host.substr(0, host.find('/'));
  return host.starts_with("127.0.0.1:") || host.starts_with("[::1]:") ||
         host == "127.0.0.1" || host == "[::1]";
}

Status SendMail(const Ways& ways, const NotificationRecord& record) {
  const CurlHandle curl(curl_easy_init());
  if (!curl) return Internal("libcurl does not start");
  CURL* const c = curl.get();
  SetCommon(c, ways, ways.smtp_url);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  // Encrypted where the server offers it; "smtps:" demands it, and so does a
  // password: whoever is in between could hide the offer.
  const bool demands = !ways.smtp_user.empty() && !IsLoopback(ways.smtp_url);
  curl_easy_setopt(
      c, CURLOPT_USE_SSL,
      static_cast<long>(demands ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  if (!ways.smtp_ca.empty())
    curl_easy_setopt(c, CURLOPT_CAINFO, ways.smtp_ca.c_str());
  if (!ways.smtp_user.empty()) {
    curl_easy_setopt(c, CURLOPT_USERNAME, ways.smtp_user.c_str());
    curl_easy_setopt(c, CURLOPT_PASSWORD, ways.smtp_password.c_str());
  }
  const std::string from = "<" + AddressText(ways.mail_from) + ">";
  const std::string to = "<" + AddressText(record.recipient) + ">";
  const List recipients(curl_slist_append(nullptr, to.c_str()));
  const std::string mail = MailText(ways, record);
  Upload upload{mail};
  curl_easy_setopt(c, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(c, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(c, CURLOPT_READFUNCTION, ReadMail);
  curl_easy_setopt(c, CURLOPT_READDATA, &upload);
  curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
  return Problem(c, curl_easy_perform(c), "mail");
}

Status CallHook(const Ways& ways, const NotificationRecord& record,
                Clock::TimePoint now) {
  const CurlHandle curl(curl_easy_init());
  if (!curl) return Internal("libcurl does not start");
  CURL* const c = curl.get();
  SetCommon(c, ways, ways.webhook_url);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  const std::string body = HookBody(record);
  const std::int64_t seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  curl_slist* list =
      curl_slist_append(nullptr, "Content-Type: application/json");
  const std::string signature =
      "Assay-Signature: " + HookSignature(ways.webhook_secret, seconds, body);
  list = curl_slist_append(list, signature.c_str());
  const List headers(list);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  ASSAY_RETURN_IF_ERROR(Problem(c, curl_easy_perform(c), "web hook"));
  long code = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
  if (code / 100 == 2) return {};
  return Unavailable("web hook: it answered with HTTP ", code,
                     ", expected 200 to 299");
}

}  // namespace

std::string MailText(const Ways& ways, const NotificationRecord& record) {
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(record.create_time)
          .time_since_epoch()
          .count();
  const std::string from = AddressText(ways.mail_from);
  return fmt::format(
      "Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\n"
      "From: Assay <{}>\r\n"
      "To: <{}>\r\n"
      "Message-ID: <{}@{}>\r\n"
      "Subject: {}\r\n"
      "MIME-Version: 1.0\r\n"
      "Auto-Submitted: auto-generated\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "\r\n{}",
      fmt::gmtime(static_cast<std::time_t>(seconds)), from,
      AddressText(record.recipient), record.id.str(),
      from.substr(from.find('@') + 1), HeaderText(record.subject),
      BodyText(record.body));
}

std::string HookBody(const NotificationRecord& record) {
  nlohmann::json body = {{"id", record.id.str()},
                         {"topic", record.topic},
                         {"subject", record.subject},
                         {"text", record.body}};
  // Whoever answers a question does not learn who asked.
  if (!record.attempt.empty() && record.topic != "question")
    body["attempt"] = "attempts/" + record.attempt.str();
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string HookSignature(std::string_view secret, std::int64_t seconds,
                          std::string_view body) {
  const std::string signed_text =
      std::to_string(seconds) + "." + std::string(body);
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(
      &state, reinterpret_cast<const unsigned char*>(secret.data()),
      secret.size());
  crypto_auth_hmacsha256_update(
      &state, reinterpret_cast<const unsigned char*>(signed_text.data()),
      signed_text.size());
  crypto_auth_hmacsha256_final(&state, mac);
  return "t=" + std::to_string(seconds) +
         ",v1=" + ToHex({reinterpret_cast<const char*>(mac), sizeof(mac)});
}

Status Deliver(const Ways& ways, const NotificationRecord& record,
               Clock::TimePoint now) {
  switch (record.channel) {
    case v1::Notification::CHANNEL_MAIL:
      return SendMail(ways, record);
    case v1::Notification::CHANNEL_WEBHOOK:
      return CallHook(ways, record, now);
    default:
      return FailedPrecondition("no way out is set up for this message");
  }
}

}  // namespace assay::notify
