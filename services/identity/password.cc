#include "services/identity/password.h"

#include <sodium.h>

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "proto/base/id.h"

namespace assay::identity {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMinPassword = 10;
constexpr std::size_t kMaxPassword = 1'024;

Expected<std::string> HashOf(const std::string& password, PasswordCost cost) {
  // Picks the fastest code for this processor; a repeat does nothing.
  if (sodium_init() < 0) return Internal("libsodium does not start");
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, password.data(), password.size(),
                            cost.operations, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Fail(Code::kResourceExhausted,
                "there is no memory to hash a password (",
                cost.memory_bytes >> 20, " MiB are needed)");
  return std::string(hash);
}

}  // namespace

Status CheckPassword(const std::string& password) {
  if (password.size() < kMinPassword)
    return InvalidArgument("the password has ", password.size(),
                           " bytes; expected at least ", kMinPassword);
  if (password.size() > kMaxPassword)
    return InvalidArgument("the password has ", password.size(),
                           " bytes; expected at most ", kMaxPassword);
  return {};
}

std::string MakePassword() { return RandomToken(20); }

// The thread, and how many wait for it.
class PasswordHasher::Worker {
 public:
  ~Worker() {
    pool_.stop();
    pool_.join();
  }

  // Runs `work` on the thread and resumes the caller on its own executor.
  template <class T>
  asio::awaitable<Expected<T>> Run(std::function<Expected<T>()> work) {
    if (waiting_.fetch_add(1) >= kMaxWaiting) {
      --waiting_;
      co_return Fail(Code::kResourceExhausted,
                     "too many sign in at once; try again in a few seconds");
    }
    auto initiate = [this](auto handler, std::function<Expected<T>()> job) {
      const auto executor = asio::get_associated_executor(handler);
      // As in storage::Store: the guard goes along with the handler, so that
      // it is never released on a context that has ended.
      auto guard =
          asio::prefer(executor, asio::execution::outstanding_work.tracked);
      asio::post(pool_, [this, executor, guard = std::move(guard),
                         handler = std::move(handler),
                         job = std::move(job)]() mutable {
        Expected<T> result = job();
        --waiting_;
        asio::post(executor,
                   [guard = std::move(guard), handler = std::move(handler),
                    result = std::move(result)]() mutable {
                     std::move(handler)(std::move(result));
                   });
      });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                            void(Expected<T>)>(
        std::move(initiate), asio::use_awaitable, std::move(work));
  }

 private:
  std::atomic<int> waiting_ = 0;
  asio::thread_pool pool_{1};
};

PasswordHasher::PasswordHasher(PasswordCost cost)
    : cost_(cost),
      nobody_(HashOf(MakePassword(), cost).value_or("")),
      worker_(std::make_unique<Worker>()) {}
PasswordHasher::~PasswordHasher() = default;

asio::awaitable<Expected<std::string>> PasswordHasher::Hash(
    std::string password) {
  co_return co_await worker_->Run<std::string>(
      [password = std::move(password), cost = cost_] {
        return HashOf(password, cost);
      });
}

asio::awaitable<Expected<bool>> PasswordHasher::Verify(std::string hash,
                                                       std::string password) {
  const bool nobody = hash.empty();
  if (nobody) hash = nobody_;
  co_return co_await worker_->Run<bool>([hash = std::move(hash),
                                         password = std::move(password),
                                         nobody]() -> Expected<bool> {
    const bool right = crypto_pwhash_str_verify(hash.c_str(), password.data(),
                                                password.size()) == 0;
    return right && !nobody;
  });
}

}  // namespace assay::identity
