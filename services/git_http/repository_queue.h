#ifndef ASSAY_SERVICES_GIT_HTTP_REPOSITORY_QUEUE_H_
#define ASSAY_SERVICES_GIT_HTTP_REPOSITORY_QUEUE_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>

#include "proto/base/id.h"
#include "services/git_http/turnstile.h"

namespace assay::git_http {

// Lets one change of each repository happen at a time, in the order of coming:
// a push from its record to its confirmation, or a clearing up. What git has
// left of one is then nobody else's.
//
// Threads: confined to the strand. Waiting cannot be cancelled.
class RepositoryQueue {
 public:
  explicit RepositoryQueue(boost::asio::any_io_executor strand)
      : state_(std::make_shared<State>(std::move(strand))) {}

  class Place;
  boost::asio::awaitable<Place> Enter(RepositoryId repository);
  // How many have the repository or wait for it.
  int CountOf(const RepositoryId& repository) const;

 private:
  struct Line {
    explicit Line(boost::asio::any_io_executor strand)
        : turnstile(std::move(strand), 1) {}
    Turnstile turnstile;
    int count = 0;
  };
  struct State {
    explicit State(boost::asio::any_io_executor on) : strand(std::move(on)) {}
    const boost::asio::any_io_executor strand;
    std::map<RepositoryId, Line> lines;
  };
  // Outlived by nobody who has a place.
  std::shared_ptr<State> state_;
};

// A repository for oneself; given back when destroyed.
class RepositoryQueue::Place {
 public:
  Place(Place&& other) noexcept = default;
  Place& operator=(Place&&) = delete;
  ~Place();

 private:
  friend class RepositoryQueue;
  Place(std::shared_ptr<State> state, RepositoryId repository)
      : state_(std::move(state)), repository_(std::move(repository)) {}

  std::shared_ptr<State> state_;  // null once moved from
  RepositoryId repository_;
  std::optional<Turnstile::Place> place_;
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_REPOSITORY_QUEUE_H_
