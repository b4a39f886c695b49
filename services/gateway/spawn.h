#ifndef ASSAY_SERVICES_GATEWAY_SPAWN_H_
#define ASSAY_SERVICES_GATEWAY_SPAWN_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <functional>

namespace assay::gateway {

// Starts a coroutine that nobody waits for. An exception that leaves it is a
// bug: it is logged with `what`, and the program ends.
void Spawn(boost::asio::any_io_executor executor, const char* what,
           boost::asio::awaitable<void> work);

// The same, but `work` can be cancelled, and `done` is told when it has ended.
// Cancelling makes it throw operation_aborted, which is no bug.
void Spawn(boost::asio::any_io_executor executor, const char* what,
           boost::asio::awaitable<void> work,
           boost::asio::cancellation_slot slot,
           std::move_only_function<void()> done);

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_SPAWN_H_
