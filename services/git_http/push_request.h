#ifndef ASSAY_SERVICES_GIT_HTTP_PUSH_REQUEST_H_
#define ASSAY_SERVICES_GIT_HTTP_PUSH_REQUEST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::git_http {

inline constexpr std::string_view kNoCommit =
    "0000000000000000000000000000000000000000";

// One line of a push: move `ref` from one commit to another.
struct RefUpdate {
  std::string ref;
  // kNoCommit: the ref is made (old) or deleted (new).
  std::string old_commit;
  std::string new_commit;
};

// The head of a `git-receive-pack` request; the pack follows it.
struct PushRequest {
  std::vector<RefUpdate> updates;
  bool side_band = false;      // side-band-64k
  bool report_status = false;  // either version of it
  // A client that is about to send a large push asks first whether it may,
  // with a request that has no updates.
  bool is_probe() const { return updates.empty(); }
};

// How much of a body may hold the head.
inline constexpr std::size_t kMaxPushHead = 64 << 10;

// Parses the head from the first bytes of a body; `complete` says that there
// are no more. Signed pushes and push options are refused.
//
// Errors: kInvalidArgument for what is no push request, kResourceExhausted
// for a head that does not fit.
Expected<PushRequest> ParsePushRequest(std::string_view bytes, bool complete);

// A ref name that git's own check-ref-format takes, 255 bytes at most.
bool IsRefName(std::string_view name);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_PUSH_REQUEST_H_
