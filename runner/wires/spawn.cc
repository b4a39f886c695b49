#include "runner/wires/spawn.h"

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace assay::wires {

void Spawn(const boost::asio::any_io_executor& executor,
           boost::asio::awaitable<void> task) {
  boost::asio::co_spawn(
      executor, std::move(task), [](const std::exception_ptr& thrown) {
        if (thrown == nullptr) return;
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& e) {
          std::fprintf(stderr, "assay: a task ended by an exception: %s\n",
                       e.what());
        }
        std::abort();
      });
}

}  // namespace assay::wires
