#include "services/storage/store.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::storage {
namespace asio = boost::asio;

boost::asio::awaitable<Status> Store::Execute(Mode mode, Work work) {
  auto initiate = [this, mode](auto handler, Work closure) {
    const auto executor = asio::get_associated_executor(handler);
    // The guard keeps the caller's context running while nothing but a
    // storage thread knows of the pending operation. It is handed over with
    // the handler: released here after the post, it could touch a context that
    // has ended meanwhile.
    auto guard =
        asio::prefer(executor, asio::execution::outstanding_work.tracked);
    Submit(mode, std::move(closure),
           [executor, guard = std::move(guard),
            handler = std::move(handler)](Status status) mutable {
             asio::post(executor,
                        [guard = std::move(guard), handler = std::move(handler),
                         status = std::move(status)]() mutable {
                          std::move(handler)(std::move(status));
                        });
           });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                          void(Status)>(
      std::move(initiate), asio::use_awaitable, std::move(work));
}

}  // namespace assay::storage
