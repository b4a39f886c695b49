#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "services/git_http/push_report.h"
#include "services/git_http/push_request.h"

// The first bytes of a push, and what git answers: both parsers take anything
// and promise only what their headers say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace assay::git_http;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool complete : {true, false}) {
    const auto request = ParsePushRequest(bytes, complete);
    if (!request) continue;
    if (request->updates.size() > 100) std::abort();
    for (const RefUpdate& update : request->updates)
      if (!IsRefName(update.ref) || update.new_commit.size() != 40)
        std::abort();
    static_cast<void>(RefusalOf(*request, "no"));
  }
  static_cast<void>(ParseReport(bytes));
  ReportReader reader(size % 2 == 0);
  static_cast<void>(reader.Feed(bytes.substr(0, size / 2)));
  static_cast<void>(reader.Feed(bytes.substr(size / 2)));
  return 0;
}
