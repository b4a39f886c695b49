#ifndef ASSAY_TESTS_RUNNER_WORKER_FAKE_WORKSHOP_H_
#define ASSAY_TESTS_RUNNER_WORKER_FAKE_WORKSHOP_H_

#include <sys/socket.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "runner/materialise/sealed_file.h"
#include "runner/worker/workshop.h"

namespace assay::worker {

// Prepares runs without cells, for the fake assay-run. What the plan is named
// decides how that goes.
class FakeWorkshop final : public Workshop {
 public:
  std::expected<PreparedRun, PrepareFailure> Prepare(
      const RunOrder& order) override {
    const std::scoped_lock lock(mutex_);
    orders_.push_back(order);
    if (order.plan.name() == "refused")
      return std::unexpected(PrepareFailure{
          .error = {Code::kInvalidArgument, "the commit has a submodule"},
          .commits_fault = true});
    if (order.plan.name() == "broken")
      return std::unexpected(
          PrepareFailure{.error = {Code::kUnavailable, "no space left"}});
    int ends[2];
    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
    sessions_[order.run] = sandbox::UniqueFd(ends[1]);
    runner::v1::RunInput input;
    *input.mutable_plan() = order.plan;
    return PreparedRun{.session = sandbox::UniqueFd(ends[0]),
                       .input = *materialise::MakeSealedFile(
                           "input", input.SerializeAsString())};
  }

  void PrepareAhead() override {
    const std::scoped_lock lock(mutex_);
    ++ahead_;
  }
  // How often it was asked to.
  int ahead() {
    const std::scoped_lock lock(mutex_);
    return ahead_;
  }

  // Lets a run with the plan "wait" go on.
  void Release(const std::string& run) {
    const std::scoped_lock lock(mutex_);
    sessions_.erase(run);
  }
  // True once nobody has the run's session any more.
  bool Ended(const std::string& run) {
    const std::scoped_lock lock(mutex_);
    char byte;
    return recv(sessions_.at(run).get(), &byte, 1, MSG_DONTWAIT) == 0;
  }
  std::vector<RunOrder> orders() {
    const std::scoped_lock lock(mutex_);
    return orders_;
  }

 private:
  std::mutex mutex_;
  std::vector<RunOrder> orders_;
  int ahead_ = 0;
  std::map<std::string, sandbox::UniqueFd> sessions_;
};

}  // namespace assay::worker

#endif  // ASSAY_TESTS_RUNNER_WORKER_FAKE_WORKSHOP_H_
