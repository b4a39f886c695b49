#ifndef ASSAY_SERVICES_GATEWAY_SESSION_COOKIE_H_
#define ASSAY_SERVICES_GATEWAY_SESSION_COOKIE_H_

#include <google/protobuf/message.h>

#include <string>

#include "proto/base/error.h"
#include "services/gateway/http_exchange.h"

namespace assay::gateway {

// The cookie that a signed-in browser holds. No page can read it, and no page
// of another site can have it sent along: SameSite=Strict, and a call that
// rests on it must say that it comes from here.
//
// Over https it is a `__Host-` cookie, which no other host and no page without
// https can set. Browsers take those over https only, so that a plain
// installation on the loopback has one by another name.
class SessionCookie {
 public:
  explicit SessionCookie(bool https);

  // What the request is authorised with: its Authorization field, or else
  // "Session ..." with the cookie's secret; empty without either.
  // kPermissionDenied: a cookie, and no word that the page is ours.
  Expected<std::string> Authorization(const HttpRequest& request) const;

  // Turns what a method says about the session into a field of the answer: a
  // SignInResponse's secret moves into the cookie, a SignOutResponse ends it.
  void Apply(google::protobuf::Message& response, HeaderFields& fields) const;

 private:
  std::string SecretIn(const HttpRequest& request) const;
  std::string Cookie(const std::string& secret, long max_age) const;

  const bool https_;
  const std::string name_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_SESSION_COOKIE_H_
