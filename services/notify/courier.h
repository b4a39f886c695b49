#ifndef ASSAY_SERVICES_NOTIFY_COURIER_H_
#define ASSAY_SERVICES_NOTIFY_COURIER_H_

#include <chrono>
#include <string>
#include <string_view>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/tables/notifications.h"

namespace assay::notify {

// The ways out of this installation; an empty one is not set up.
struct Ways {
  // "smtp://host:25" or "smtps://host:465".
  std::string smtp_url;
  std::string smtp_user;
  std::string smtp_password;
  // Certificates, as PEM, that the mail server's is signed by; empty: the
  // system's.
  std::string smtp_ca;
  // What mail comes from: "assay@example.org".
  std::string mail_from;
  // Who gets what is for those who run the installation.
  std::string staff_mail;
  // "https://example.org/hook".
  std::string webhook_url;
  // The key that calls are signed with.
  std::string webhook_secret;
  std::chrono::milliseconds timeout{10'000};

  bool mails() const { return !smtp_url.empty(); }
  bool calls() const { return !webhook_url.empty(); }
};

// A mail as RFC 5322 has it: encoded header, CRLF lines, nothing that a name
// or a subject could add as a header of its own.
std::string MailText(const Ways& ways,
                     const storage::NotificationRecord& record);

// The JSON body of a call.
std::string HookBody(const storage::NotificationRecord& record);
// "t=SECONDS,v1=HEX": HMAC-SHA-256 with the secret over "SECONDS.BODY". The
// time lets the receiver refuse what is played back later.
std::string HookSignature(std::string_view secret, std::int64_t seconds,
                          std::string_view body);

// Hands one message over, by its channel. Blocks up to `ways.timeout`. A
// password goes to a mail server over TLS only, unless it is on this machine.
// Errors: what the other side said, for the record; never a password.
Status Deliver(const Ways& ways, const storage::NotificationRecord& record,
               Clock::TimePoint now);

}  // namespace assay::notify

#endif  // ASSAY_SERVICES_NOTIFY_COURIER_H_
