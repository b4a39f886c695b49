#ifndef ASSAY_SERVICES_GIT_HTTP_GIT_RECEIVE_H_
#define ASSAY_SERVICES_GIT_HTTP_GIT_RECEIVE_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "proto/base/error.h"
#include "services/gateway/http_exchange.h"
#include "services/git_http/git_process.h"

namespace assay::git_http {

// What became of one push at git's hands.
struct GitReceived {
  // git's report-status lines; cut or empty when it died.
  std::string report;
  // Not empty: git was told not to move the ref, for this reason.
  std::string refusal;
  Status ended;
};

// Decides about objects that git has received and not taken in yet. An Error
// is a refusal; its message is for the candidate.
using JudgeIncoming =
    std::function<boost::asio::awaitable<Status>(std::filesystem::path)>;

// Runs `git receive-pack` to its end, hands its messages on, and judges what
// it has received before it moves a ref. A client that has left stops hearing,
// not git.
boost::asio::awaitable<GitReceived> RunReceivePack(
    boost::asio::any_io_executor strand, gateway::HttpExchange& exchange,
    GitCommand command, bool side_band, JudgeIncoming judge);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_GIT_RECEIVE_H_
