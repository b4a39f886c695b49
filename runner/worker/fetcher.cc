#include "runner/worker/fetcher.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace assay::worker {

using runner::v1::AttachRequest;
using runner::v1::AttachResponse;

Fetcher::Fetcher(boost::asio::any_io_executor executor, ContentCache cache,
                 Send send)
    : executor_(std::move(executor)),
      cache_(std::move(cache)),
      send_(std::move(send)) {}

boost::asio::awaitable<Expected<std::filesystem::path>> Fetcher::Get(
    std::string digest) {
  if (auto found = cache_.Find(digest)) co_return *std::move(found);
  std::shared_ptr<Pending>& slot = pending_[digest];
  if (slot == nullptr) {
    slot = std::make_shared<Pending>(executor_);
    Ask(digest, 0);
  }
  const std::shared_ptr<Pending> pending = slot;
  while (!pending->result) {
    boost::system::error_code cancelled;
    co_await pending->done.async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
  }
  co_return *pending->result;
}

void Fetcher::Ask(const std::string& digest, std::int64_t offset) {
  AttachRequest request;
  request.mutable_fetch()->set_digest(digest);
  request.mutable_fetch()->set_offset(offset);
  send_(std::move(request));
}

void Fetcher::OnChunk(const AttachResponse::Chunk& chunk) {
  const auto it = pending_.find(chunk.digest());
  // A repeat of before a reconnect.
  if (it == pending_.end() || chunk.offset() != it->second->offset) return;
  const std::string digest = chunk.digest();
  if (!chunk.error().empty())
    return Complete(digest, Unavailable("the coordinator does not give ",
                                        digest, ": ", chunk.error()));
  if (const Status kept =
          cache_.Append(digest, chunk.offset(), chunk.content());
      !kept)
    return Complete(digest, std::unexpected(kept.error()));
  Pending& pending = *it->second;
  pending.offset += static_cast<std::int64_t>(chunk.content().size());
  if (pending.offset >= chunk.total_bytes())
    return Complete(digest, cache_.Finish(digest));
  if (chunk.content().empty())
    return Complete(digest,
                    DataLoss("content ", digest, " ended at ", pending.offset,
                             " of ", chunk.total_bytes(), " bytes"));
  Ask(digest, pending.offset);
}

void Fetcher::Resume() {
  for (const auto& [digest, pending] : pending_) Ask(digest, pending->offset);
}

void Fetcher::Stop() {
  while (!pending_.empty())
    Complete(pending_.begin()->first,
             Fail(Code::kCancelled, "the worker is stopping"));
}

void Fetcher::Complete(const std::string& digest,
                       Expected<std::filesystem::path> result) {
  const auto node = pending_.extract(digest);
  if (!result) cache_.Discard(digest);
  node.mapped()->result = std::move(result);
  node.mapped()->done.cancel();
}

}  // namespace assay::worker
