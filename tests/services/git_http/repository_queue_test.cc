#include "services/git_http/repository_queue.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

namespace assay::git_http {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;

class RepositoryQueueTest : public ::testing::Test {
 protected:
  // Comes, and leaves only when told to.
  asio::awaitable<void> Visit(RepositoryId repository, std::string who) {
    places_.push_back(std::make_unique<RepositoryQueue::Place>(
        co_await queue_.Enter(repository)));
    entered_.push_back(who);
  }
  void Come(const char* repository, const char* who) {
    asio::co_spawn(strand_, Visit(RepositoryId(repository), who),
                   asio::detached);
    Turn();
  }
  void Turn() {
    strand_.restart();
    strand_.poll();
  }

  asio::io_context strand_;
  RepositoryQueue queue_{strand_.get_executor()};
  std::vector<std::unique_ptr<RepositoryQueue::Place>> places_;
  std::vector<std::string> entered_;
};

TEST_F(RepositoryQueueTest, LetsOneInAtATimeInTheOrderOfComing) {
  Come("rep_a", "first");
  Come("rep_a", "second");
  Come("rep_a", "third");
  EXPECT_THAT(entered_, ElementsAre("first"));
  EXPECT_EQ(queue_.CountOf(RepositoryId("rep_a")), 3);
  places_[0].reset();
  Turn();
  EXPECT_THAT(entered_, ElementsAre("first", "second"));
  places_[1].reset();
  Turn();
  EXPECT_THAT(entered_, ElementsAre("first", "second", "third"));
  places_[2].reset();
  EXPECT_EQ(queue_.CountOf(RepositoryId("rep_a")), 0);
}

TEST_F(RepositoryQueueTest, RepositoriesDoNotWaitForEachOther) {
  Come("rep_a", "a");
  Come("rep_b", "b");
  EXPECT_THAT(entered_, ElementsAre("a", "b"));
}

TEST_F(RepositoryQueueTest, PlacesMayOutliveTheQueue) {
  auto queue = std::make_unique<RepositoryQueue>(strand_.get_executor());
  std::unique_ptr<RepositoryQueue::Place> place;
  asio::co_spawn(
      strand_,
      [](RepositoryQueue& from,
         std::unique_ptr<RepositoryQueue::Place>& to) -> asio::awaitable<void> {
        to = std::make_unique<RepositoryQueue::Place>(
            co_await from.Enter(RepositoryId("rep_a")));
      }(*queue, place),
      asio::detached);
  Turn();
  ASSERT_TRUE(place);
  queue.reset();
  place.reset();
}

}  // namespace
}  // namespace assay::git_http
