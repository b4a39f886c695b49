#ifndef ASSAY_RUNNER_WIRES_SPAWN_H_
#define ASSAY_RUNNER_WIRES_SPAWN_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace assay::wires {

// Runs a coroutine by itself. An exception that reaches its end is a bug: it
// is printed and ends the process, where `detached` would lose it.
void Spawn(const boost::asio::any_io_executor& executor,
           boost::asio::awaitable<void> task);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_SPAWN_H_
