#include "services/storage/blobs/s3.h"

#include <spdlog/spdlog.h>

#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "services/storage/blobs/pool_call.h"
#include "services/storage/blobs/s3_objects.h"

namespace assay::storage {
namespace {

// Operations at once; more wait. A slow store holds up blobs and nothing else.
constexpr std::size_t kThreads = 8;

// Runs S3Objects on threads of its own.
class S3Blobs final : public BlobStore {
 public:
  explicit S3Blobs(S3Settings settings)
      : objects_(std::move(settings)), pool_(kThreads) {}
  ~S3Blobs() override {
    objects_.Stop();
    pool_.join();
  }

  S3Objects& objects() { return objects_; }

  Async<std::string> Put(std::string content) override {
    return RunOn<std::string>(&pool_, [this, content = std::move(content)] {
      return objects_.Put(content);
    });
  }
  Async<std::string> Get(std::string digest) override {
    return RunOn<std::string>(&pool_, [this, digest = std::move(digest)] {
      return objects_.Get(digest);
    });
  }
  Async<bool> Has(std::string digest) override {
    return RunOn<bool>(&pool_, [this, digest = std::move(digest)] {
      return objects_.Has(digest);
    });
  }
  Async<std::vector<std::string>> List(std::string after) override {
    return RunOn<std::vector<std::string>>(
        &pool_,
        [this, after = std::move(after)] { return objects_.List(after); });
  }

 private:
  S3Objects objects_;
  boost::asio::thread_pool pool_;
};

}  // namespace

Expected<std::unique_ptr<BlobStore>> OpenS3Blobs(S3Settings settings,
                                                 bool is_new) {
  auto blobs = std::make_unique<S3Blobs>(std::move(settings));
  const auto probed =
      is_new ? blobs->objects().Reach() : blobs->objects().Probe();
  if (!probed && probed.error().setup)
    return FailedPrecondition(probed.error().error.message);
  // Whether it is the right one, only its answer tells.
  if (!probed && is_new)
    return Unavailable(probed.error().error.message,
                       "; nothing was written: start again when it answers, or "
                       "name another with --blobs");
  // A restart must not need it: runs and pushes of known plans go on.
  if (!probed)
    spdlog::warn("{}; going on without it", probed.error().error.message);
  return blobs;
}

}  // namespace assay::storage
