#include "services/gateway/spawn.h"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <exception>
#include <utility>

namespace assay::gateway {
namespace {

bool IsCancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& failure) {
    return failure.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

[[noreturn]] void Die(const char* what, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& failure) {
    spdlog::critical("{}: uncaught {}", what, failure.what());
  } catch (...) {
    spdlog::critical("{}: uncaught exception", what);
  }
  std::abort();
}

}  // namespace

void Spawn(boost::asio::any_io_executor executor, const char* what,
           boost::asio::awaitable<void> work) {
  boost::asio::co_spawn(executor, std::move(work),
                        [what](std::exception_ptr error) {
                          if (error) Die(what, error);
                        });
}

void Spawn(boost::asio::any_io_executor executor, const char* what,
           boost::asio::awaitable<void> work,
           boost::asio::cancellation_slot slot,
           std::move_only_function<void()> done) {
  boost::asio::co_spawn(executor, std::move(work),
                        boost::asio::bind_cancellation_slot(
                            slot, [what, done = std::move(done)](
                                      std::exception_ptr error) mutable {
                              if (error && !IsCancellation(error))
                                Die(what, error);
                              done();
                            }));
}

}  // namespace assay::gateway
