#include "services/git_http/repository_queue.h"

#include <utility>

namespace assay::git_http {

namespace asio = boost::asio;

// The count rises before anything is waited for: who came first is first.
asio::awaitable<RepositoryQueue::Place> RepositoryQueue::Enter(
    RepositoryId repository) {
  Line& line =
      state_->lines.try_emplace(repository, state_->strand).first->second;
  ++line.count;
  Place place(state_, std::move(repository));
  place.place_.emplace(co_await line.turnstile.Enter());
  co_return place;
}

int RepositoryQueue::CountOf(const RepositoryId& repository) const {
  const auto line = state_->lines.find(repository);
  return line == state_->lines.end() ? 0 : line->second.count;
}

RepositoryQueue::Place::~Place() {
  if (!state_) return;
  place_.reset();
  const auto line = state_->lines.find(repository_);
  if (--line->second.count == 0) state_->lines.erase(line);
}

}  // namespace assay::git_http
