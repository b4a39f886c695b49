#ifndef ASSAY_SERVICES_STORAGE_STORE_H_
#define ASSAY_SERVICES_STORAGE_STORE_H_

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "proto/base/error.h"
#include "services/storage/transaction.h"

namespace assay::storage {

class Bulletin;

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

// Keeps everything that must survive: one transaction is one closure.
//
//   co_await store.Write([run, now](Transaction& tx) -> Expected<Lease> {
//     return tx.runs.Lease(...);
//   });
//
// A closure that answers with an Error leaves nothing behind. One that
// succeeds is durable before Write resumes its caller. Closures run on a
// storage thread, possibly more than once, and so must touch nothing but the
// transaction and their captures, which they own.
//
// Threads: Write and Read may be awaited on any executor and resume on it.
// Errors: the closure's own; kUnavailable when the store cannot be written
// (disk full, I/O error, no server, closing), in which case nothing happened;
// kAborted when conflicts did not end; kUnknown when the server went away in
// the middle of a commit and did not come back to say whether it happened.
class Store {
 public:
  // T of a closure that answers with Expected<T>.
  template <class Closure>
  using ResultOf =
      typename std::invoke_result_t<Closure&, Transaction&>::value_type;

  virtual ~Store() = default;

  // What joins the programs that share the store. Null: there is one only.
  virtual Bulletin* bulletin() { return nullptr; }

  template <class Closure>
  auto Write(Closure closure) -> Async<ResultOf<Closure>> {
    return Run<ResultOf<Closure>>(this, Mode::kWrite, std::move(closure));
  }
  // Write of a closure that changes what belongs to one run and its lease, and
  // whose every change hangs on a statement that changes the run's row only if
  // that stands as the closure has found it. Where several programs share the
  // store, such closures of theirs may run at the same time; nothing else does.
  template <class Closure>
  auto WriteBeside(Closure closure) -> Async<ResultOf<Closure>> {
    return Run<ResultOf<Closure>>(this, Mode::kWriteBeside, std::move(closure));
  }
  // Sees every write that was acknowledged before the call. Writing fails.
  template <class Closure>
  auto Read(Closure closure) -> Async<ResultOf<Closure>> {
    return Run<ResultOf<Closure>>(this, Mode::kRead, std::move(closure));
  }

 protected:
  enum class Mode { kRead, kWrite, kWriteBeside };
  // A closure with its type erased.
  using Work = std::move_only_function<Status(Transaction&)>;
  using Done = std::move_only_function<void(Status)>;

  // Runs `work` and calls `done` once, on any thread.
  virtual void Submit(Mode mode, Work work, Done done) = 0;

 private:
  // Resumes on the caller's executor.
  boost::asio::awaitable<Status> Execute(Mode mode, Work work);

  template <class T, class Closure>
  static Async<T> Run(Store* store, Mode mode, Closure closure) {
    auto result = std::make_shared<std::optional<Expected<T>>>();
    Work work = [closure = std::move(closure),
                 result](Transaction& tx) mutable -> Status {
      result->emplace(closure(tx));
      if (!**result) return std::unexpected((*result)->error());
      return {};
    };
    Status status = co_await store->Execute(mode, std::move(work));
    if (!status) co_return std::unexpected(std::move(status).error());
    co_return std::move(**result);
  }
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_STORE_H_
