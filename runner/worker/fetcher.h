#ifndef ASSAY_RUNNER_WORKER_FETCHER_H_
#define ASSAY_RUNNER_WORKER_FETCHER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "assay/runner/v1/lease_service.pb.h"
#include "proto/base/error.h"
#include "runner/worker/content_cache.h"

namespace assay::worker {

// Gets content from the coordinator into the cache, a chunk at a time; content
// that several runs want is fetched once.
//
// Threads: confined to `executor`.
// Errors: what the coordinator says, kDataLoss for content of another digest,
// kCancelled after Stop.
class Fetcher {
 public:
  using Send = std::function<void(runner::v1::AttachRequest)>;
  Fetcher(boost::asio::any_io_executor executor, ContentCache cache, Send send);

  // See ContentCache::Hold; to be called before Get.
  std::shared_ptr<void> Hold(const std::string& digest) {
    return cache_.Hold(digest);
  }

  // Waits as long as it takes, over reconnects.
  boost::asio::awaitable<Expected<std::filesystem::path>> Get(
      std::string digest);

  void OnChunk(const runner::v1::AttachResponse::Chunk& chunk);
  // A new stream: what is being fetched goes on from where it is.
  void Resume();
  // Ends every Get.
  void Stop();

 private:
  struct Pending {
    explicit Pending(const boost::asio::any_io_executor& executor)
        : done(executor, boost::asio::steady_timer::time_point::max()) {}
    std::int64_t offset = 0;
    std::optional<Expected<std::filesystem::path>> result;
    boost::asio::steady_timer done;  // cancelled when there is a result
  };

  void Ask(const std::string& digest, std::int64_t offset);
  void Complete(const std::string& digest,
                Expected<std::filesystem::path> result);

  boost::asio::any_io_executor executor_;
  ContentCache cache_;
  Send send_;
  std::map<std::string, std::shared_ptr<Pending>> pending_;
};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_FETCHER_H_
