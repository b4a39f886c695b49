#include "runner/worker/run_process.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/runner/worker/fake_workshop.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/matchers.h"

namespace assay::worker {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
using ::testing::SizeIs;

class RunProcessTest : public ::testing::Test {
 protected:
  Expected<std::unique_ptr<RunProcess>> Begin(const std::string& plan) {
    RunOrder order{.run = "run_1"};
    order.plan.set_name(plan);
    return RunProcess::Start(loop_.executor(), std::getenv("ASSAY_FAKE_RUN"),
                             *workshop_.Prepare(order));
  }

  Status Follow(RunProcess& process,
                std::chrono::milliseconds limit = std::chrono::seconds(30)) {
    return loop_.Await(process.Follow(
        [this](
            std::vector<v1::RunEvent> events) -> boost::asio::awaitable<void> {
          for (auto& event : events) events_.push_back(std::move(event));
          co_return;
        },
        limit));
  }

  Status Run(const std::string& plan) {
    auto process = Begin(plan);
    if (!process) return std::unexpected(process.error());
    return Follow(**process);
  }

  testing::EventLoop loop_;
  FakeWorkshop workshop_;
  std::vector<v1::RunEvent> events_;
};

TEST_F(RunProcessTest, ARunThatSaysItsLastWordHasEndedWell) {
  ASSERT_THAT(Run("ok"), IsOk());
  ASSERT_THAT(events_, SizeIs(3));
  EXPECT_TRUE(events_[2].has_finished());
  EXPECT_TRUE(workshop_.Ended("run_1"));
}

TEST_F(RunProcessTest, MoreThanAPipeHoldsComesThrough) {
  ASSERT_THAT(Run("large"), IsOk());
  EXPECT_THAT(events_, SizeIs(43));
}

TEST_F(RunProcessTest, ACrashIsOurFaultWithWhatItSaid) {
  const Status status = Run("crash");
  EXPECT_THAT(status, FailsWith(Code::kInternal, "signal 6"));
  EXPECT_THAT(status, FailsWith(Code::kInternal, "the parser met  [1m its"));
  EXPECT_THAT(events_, SizeIs(2));
}

TEST_F(RunProcessTest, AnEndWithoutALastWordIsOurFault) {
  EXPECT_THAT(Run("silent"), FailsWith(Code::kInternal, "exited with code 0"));
}

TEST_F(RunProcessTest, GarbledEventsEndTheRun) {
  EXPECT_THAT(Run("garbage"), FailsWith(Code::kDataLoss));
  EXPECT_TRUE(workshop_.Ended("run_1"));
}

TEST_F(RunProcessTest, ARunThatHangsIsKilledAtItsLimit) {
  auto process = Begin("hang");
  EXPECT_THAT(Follow(**process, std::chrono::milliseconds(50)),
              FailsWith(Code::kInternal, "the run's own limit"));
  EXPECT_TRUE(workshop_.Ended("run_1"));
}

TEST_F(RunProcessTest, DroppingARunKillsIt) {
  auto process = Begin("hang");
  ASSERT_THAT(process, IsOk());
  process->reset();
  EXPECT_TRUE(workshop_.Ended("run_1"));
}

TEST_F(RunProcessTest, AProgramThatIsNotThereIsNamed) {
  RunOrder order{.run = "run_1"};
  EXPECT_THAT(RunProcess::Start(loop_.executor(), "/nowhere/assay-run",
                                *workshop_.Prepare(order)),
              FailsWith(Code::kNotFound, "/nowhere/assay-run"));
}

}  // namespace
}  // namespace assay::worker
