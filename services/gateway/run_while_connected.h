#ifndef ASSAY_SERVICES_GATEWAY_RUN_WHILE_CONNECTED_H_
#define ASSAY_SERVICES_GATEWAY_RUN_WHILE_CONNECTED_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>

#include "services/gateway/http_exchange.h"

namespace assay::gateway {

enum class WorkEnd { kFinished, kClientGone, kTimedOut };

// Runs `work` to its end, and cancels it when the client leaves or `limit` is
// over. Whatever ends first, `work` has ended when this returns, so that it
// may borrow from the caller.
//
// `work` must let operation_aborted through, or turn it into its own end.
boost::asio::awaitable<WorkEnd> RunWhileConnected(
    boost::asio::any_io_executor strand, HttpExchange& exchange,
    std::optional<std::chrono::milliseconds> limit,
    boost::asio::awaitable<void> work);

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_RUN_WHILE_CONNECTED_H_
