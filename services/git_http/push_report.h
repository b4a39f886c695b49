#ifndef ASSAY_SERVICES_GIT_HTTP_PUSH_REPORT_H_
#define ASSAY_SERVICES_GIT_HTTP_PUSH_REPORT_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "proto/base/error.h"
#include "services/git_http/push_request.h"

namespace assay::git_http {

// What `git receive-pack` says it did.
struct PushReport {
  // Empty when the pack was taken in, else why not.
  std::string unpack_error;
  // By ref: empty when it moved, else why not.
  std::map<std::string, std::string> refs;
};

// Parses the report-status lines. Errors: kInvalidArgument when there is no
// whole report, as after a crash.
Expected<PushReport> ParseReport(std::string_view bytes);

// Splits what receive-pack prints, while it prints it.
//
// With a side band, messages are handed on at once, and the report and the
// last flush are kept; without, everything is the report.
class ReportReader {
 public:
  explicit ReportReader(bool side_band) : side_band_(side_band) {}

  // Takes more output; answers with the message packets that it completed.
  Expected<std::string> Feed(std::string_view bytes);
  // The report-status lines so far.
  const std::string& report() const { return report_; }

 private:
  const bool side_band_;
  std::string pending_;
  std::string report_;
};

// The whole answer to a push that is refused before git saw it: `message`
// line by line as "remote:", then each ref as rejected.
std::string RefusalOf(const PushRequest& request, std::string_view message);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_PUSH_REPORT_H_
