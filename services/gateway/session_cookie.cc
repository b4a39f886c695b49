#include "services/gateway/session_cookie.h"

#include <string_view>

#include "assay/v1/account_service.pb.h"

namespace assay::gateway {
namespace {

// The server ends a session before its cookie goes.
constexpr long kMaxAge = 7L * 24 * 3600;

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

SessionCookie::SessionCookie(bool https)
    : https_(https), name_(https ? "__Host-assay_session" : "assay_session") {}

std::string SessionCookie::SecretIn(const HttpRequest& request) const {
  std::string_view rest = request.Field("cookie");
  while (!rest.empty()) {
    const auto end = rest.find(';');
    const std::string_view pair = Trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name_)
      return std::string(pair.substr(equals + 1));
  }
  return {};
}

Expected<std::string> SessionCookie::Authorization(
    const HttpRequest& request) const {
  const std::string_view given = request.Field("authorization");
  if (!given.empty()) return std::string(given);
  const std::string secret = SecretIn(request);
  if (secret.empty()) return std::string();
  // Browsers send one of these with every POST; a wrong Origin was refused
  // before. Whoever can leave both out has no browser, and no need of a cookie.
  if (request.Field("origin").empty() &&
      request.Field("sec-fetch-site") != "same-origin")
    return PermissionDenied(
        "a session's cookie is taken from pages of this site only; programs "
        "send a token");
  return "Session " + secret;
}

std::string SessionCookie::Cookie(const std::string& secret,
                                  long max_age) const {
  return name_ + "=" + secret + "; Path=/; Max-Age=" + std::to_string(max_age) +
         "; HttpOnly; SameSite=Strict" + (https_ ? "; Secure" : "");
}

void SessionCookie::Apply(google::protobuf::Message& response,
                          HeaderFields& fields) const {
  if (auto* opened = dynamic_cast<v1::SignInResponse*>(&response)) {
    fields.emplace_back("Set-Cookie",
                        Cookie(opened->session_secret(), kMaxAge));
    opened->clear_session_secret();
  } else if (dynamic_cast<v1::SignOutResponse*>(&response) != nullptr) {
    fields.emplace_back("Set-Cookie", Cookie("", 0));
  }
}

}  // namespace assay::gateway
