#ifndef ASSAY_SERVICES_GIT_HTTP_TRIAL_PUSH_H_
#define ASSAY_SERVICES_GIT_HTTP_TRIAL_PUSH_H_

#include <boost/asio/awaitable.hpp>
#include <filesystem>

#include "services/gateway/http_exchange.h"

namespace assay::git_http {

// Reads a push to the trial repository to its end, answers that it arrived,
// and forgets it: what matters is that the way was open for it. No git runs.
boost::asio::awaitable<void> TakeTrialPush(
    gateway::HttpExchange& exchange, std::filesystem::path spool_directory);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_TRIAL_PUSH_H_
