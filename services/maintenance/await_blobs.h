#ifndef ASSAY_SERVICES_MAINTENANCE_AWAIT_BLOBS_H_
#define ASSAY_SERVICES_MAINTENANCE_AWAIT_BLOBS_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "proto/base/error.h"

namespace assay::maintenance {

// Blocks until `task` has ended: a command has no loop of its own.
template <class T>
Expected<T> AwaitBlobs(boost::asio::awaitable<Expected<T>> task) {
  boost::asio::io_context context(1);
  std::optional<Expected<T>> result;
  boost::asio::co_spawn(context, std::move(task),
                        [&](std::exception_ptr error, Expected<T> value) {
                          if (error) std::rethrow_exception(error);
                          result = std::move(value);
                        });
  context.run();
  return *std::move(result);
}

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_AWAIT_BLOBS_H_
