#include "services/git_http/turnstile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "tests/testing/event_loop.h"

namespace assay::git_http {
namespace {

using ::testing::ElementsAre;

class TurnstileTest : public ::testing::Test {
 protected:
  boost::asio::awaitable<bool> Enter(int who) {
    places_.emplace(who, co_await turnstile_.Enter());
    inside_.push_back(who);
    co_return true;
  }

  testing::EventLoop loop_;
  Turnstile turnstile_{loop_.executor(), 2};
  std::map<int, Turnstile::Place> places_;
  std::vector<int> inside_;
};

TEST_F(TurnstileTest, LetsSoManyThroughInTheOrderOfComing) {
  for (int who = 1; who <= 4; ++who) loop_.Spawn(Enter(who));
  loop_.RunReady();
  EXPECT_THAT(inside_, ElementsAre(1, 2));
  places_.erase(2);
  loop_.RunReady();
  EXPECT_THAT(inside_, ElementsAre(1, 2, 3));
  places_.clear();
  loop_.RunReady();
  EXPECT_THAT(inside_, ElementsAre(1, 2, 3, 4));
  places_.clear();
  EXPECT_TRUE(loop_.Await(Enter(5)));
}

}  // namespace
}  // namespace assay::git_http
