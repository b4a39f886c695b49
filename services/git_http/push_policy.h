#ifndef ASSAY_SERVICES_GIT_HTTP_PUSH_POLICY_H_
#define ASSAY_SERVICES_GIT_HTTP_PUSH_POLICY_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/git_http/push_request.h"
#include "services/repositories/records.h"
#include "services/storage/store.h"

namespace assay::git_http {

// What an assignment allows a push to be, beside when.
struct PushPolicy {
  std::int64_t max_bytes = std::int64_t{64} << 20;
  // What all pushes together may have brought.
  std::int64_t max_repository_bytes = 8 * (std::int64_t{64} << 20);
  bool allow_force = false;
  bool allow_tags = false;
  repositories::CommitRules commits;
};

// Reads the policy of the assignment version that the repository's attempt
// runs on.
boost::asio::awaitable<Expected<PushPolicy>> ReadPushPolicy(
    storage::Store& store, RepositoryId repository);

// Why a request is refused for what it wants, whoever asks and whenever; empty
// when it is not. The first line is the short form.
std::string RefusedByShape(const PushRequest& request,
                           const PushPolicy& policy);
std::string RefusedBySize(std::int64_t limit);
std::string RefusedByQuota(std::int64_t limit);

bool IsTag(std::string_view ref);
// Tags that a repository may have; each is a file and a line in every fetch.
inline constexpr std::size_t kMaxTags = 100;
std::string RefusedByTags();

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_PUSH_POLICY_H_
