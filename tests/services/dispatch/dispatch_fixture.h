#ifndef ASSAY_TESTS_SERVICES_DISPATCH_DISPATCH_FIXTURE_H_
#define ASSAY_TESTS_SERVICES_DISPATCH_DISPATCH_FIXTURE_H_

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/dispatch/dispatcher.h"
#include "services/runs/plan_cache.h"
#include "services/runs/run_feed.h"
#include "services/runs/run_queue.h"
#include "services/storage/blobs/blob_store.h"
#include "services/storage/store.h"
#include "services/workers/worker_book.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/temporary_directory.h"

namespace assay::dispatch {

using runner::v1::AttachRequest;
using runner::v1::AttachResponse;

// A worker's end of a stream: keeps what it is told.
class FakeLink final : public WorkerLink {
 public:
  void Send(AttachResponse response) override {
    received.push_back(std::move(response));
  }
  void Close(Error error) override { closed = std::move(error); }

  // The first message of `kind`, which is then forgotten.
  std::optional<AttachResponse> Take(AttachResponse::MessageCase kind);
  bool Has(AttachResponse::MessageCase kind) const;

  std::deque<AttachResponse> received;
  std::optional<Error> closed;
};

// A dispatcher over a real store, and workers that are played by the test.
class DispatchFixture : public ::testing::Test {
 protected:
  struct Worker {
    std::shared_ptr<FakeLink> link;
    Dispatcher::SessionId session = 0;
  };

  DispatchFixture();
  ~DispatchFixture() override;

  // Runs that are queued from now on have a plan of this name.
  void UsePlan(const std::string& name);
  // As after a restart of the coordinator over the same store.
  void Restart();

  Worker Attach(const std::string& name, int slots = 1,
                const std::vector<AttachRequest::Held>& held = {});
  // One that says more of itself.
  Worker Attach(AttachRequest::Hello hello);
  void Say(const Worker& worker, AttachRequest request);
  void Demand(const Worker& worker, int count);
  void Beat(const Worker& worker, const std::vector<AttachRequest::Held>& held);
  void Report(const Worker& worker, const AttachResponse::Lease& lease,
              std::int64_t first_offset, std::vector<v1::RunEvent> events);
  void Goodbye(const Worker& worker);
  void HandBack(const Worker& worker, const AttachResponse::Lease& lease,
                bool fault);

  RunId Queue(v1::Run::Kind kind, const std::string& attempt = "att_1",
              const storage::Needs& needs = {});
  storage::RunRecord Get(const RunId& run);
  // Runs the loop until the worker has a message of `kind`, and takes it.
  AttachResponse Expect(const Worker& worker, AttachResponse::MessageCase kind);
  AttachResponse::Lease ExpectLease(const Worker& worker);
  // Runs the loop until everything that was set off has happened.
  void Settle();
  // What an administrator's call comes to: written, and told.
  void SetState(const std::string& worker, v1::Worker::State state);
  storage::WorkerRecord GetWorker(const std::string& name);
  // A run that this worker takes and hands back as its fault; then the run is
  // cancelled.
  void FailOne(const Worker& worker);
  // The sweep of a second that the clock says has passed.
  void Sweep();

  static v1::RunEvent Phase(const std::string& name);
  static v1::RunEvent Passed(const std::string& check);
  static v1::RunEvent Finished(v1::Run::Outcome outcome);
  static AttachRequest::Held HeldOf(const AttachResponse::Lease& lease);

  testing::TemporaryDirectory directory_;
  testing::EventLoop loop_;
  testing::ManualClock clock_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<runs::PlanCache> plans_;
  std::unique_ptr<runs::RunFeed> feed_;
  std::unique_ptr<runs::RunQueue> queue_;
  std::unique_ptr<workers::WorkerBook> book_;
  std::unique_ptr<Dispatcher> dispatcher_;
  DispatcherOptions options_;
  std::string plan_bytes_;
  std::string plan_digest_;
  // What the pack source answers next.
  Expected<std::string> pack_ = "the pack";
  int runs_made_ = 0;
};

}  // namespace assay::dispatch

#endif  // ASSAY_TESTS_SERVICES_DISPATCH_DISPATCH_FIXTURE_H_
