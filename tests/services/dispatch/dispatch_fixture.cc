#include "tests/services/dispatch/dispatch_fixture.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <stdexcept>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/digest.h"
#include "services/storage/blobs/local.h"
#include "services/storage/sqlite/sqlite_store.h"

namespace assay::dispatch {
namespace {

std::string SamplePlan(const std::string& name) {
  plan::v1::Plan plan;
  plan.set_name(name);
  plan.mutable_limits()->mutable_run_timeout()->set_seconds(600);
  for (const char* id : {"one", "two"}) {
    plan::v1::Check& check = *plan.add_checks();
    check.set_id(id);
    check.set_points(5);
  }
  return plan.SerializeAsString();
}

rpc::Async<SharedContent> Answer(Expected<std::string> bytes) {
  if (!bytes) co_return std::unexpected(bytes.error());
  co_return std::make_shared<const Content>(
      Content{.digest = Sha256Hex(*bytes),
              .size = static_cast<std::int64_t>(bytes->size()),
              .bytes = *bytes,
              .file = {}});
}

}  // namespace

std::optional<AttachResponse> FakeLink::Take(AttachResponse::MessageCase kind) {
  const auto it =
      std::ranges::find(received, kind, &AttachResponse::message_case);
  if (it == received.end()) return std::nullopt;
  AttachResponse found = std::move(*it);
  received.erase(it);
  return found;
}

bool FakeLink::Has(AttachResponse::MessageCase kind) const {
  return std::ranges::count(received, kind, &AttachResponse::message_case) > 0;
}

DispatchFixture::DispatchFixture() {
  // One reader, so that a read is a barrier for those before it: see Settle.
  store_ = *storage::OpenSqlite(directory_.path() / "store.db", {.readers = 1});
  blobs_ = *storage::OpenLocalBlobs(directory_.path() / "blobs");
  UsePlan("sample");
  plans_ = std::make_unique<runs::PlanCache>(*blobs_);
  feed_ = std::make_unique<runs::RunFeed>(loop_.executor());
  queue_ = std::make_unique<runs::RunQueue>(*store_, *plans_, *feed_, clock_);
  book_ = std::make_unique<workers::WorkerBook>(*store_, clock_);
  // The sweep is the test's own affair: see Sweep.
  options_.sweep_interval = std::chrono::hours(1);
  Restart();
}

DispatchFixture::~DispatchFixture() {
  dispatcher_->Stop();
  loop_.RunReady();
}

void DispatchFixture::UsePlan(const std::string& name) {
  plan_bytes_ = SamplePlan(name);
  plan_digest_ = *loop_.Await(blobs_->Put(plan_bytes_));
}

void DispatchFixture::Restart() {
  if (dispatcher_) dispatcher_->Stop();
  loop_.RunReady();
  dispatcher_ = std::make_unique<Dispatcher>(
      loop_.executor(), *queue_, *book_, clock_,
      ContentSources{
          .pack = [this](AttemptId, std::string) { return Answer(pack_); },
          .plan = [this](std::string) { return Answer(plan_bytes_); }},
      options_);
  feed_->OnQueued([this] { dispatcher_->RunQueued(); });
  if (!loop_.Await(dispatcher_->Start())) throw std::runtime_error("Start");
}

void DispatchFixture::Settle() {
  // Behind everything that is in the store's two queues, several times over,
  // since one answer sets off another question.
  for (int i = 0; i < 6; ++i) {
    static_cast<void>(loop_.Await(queue_->AnyQueued()));
    static_cast<void>(loop_.Await(store_->Write(
        [](storage::Transaction& tx) { return tx.runs.Count(); })));
    loop_.RunReady();
  }
}

void DispatchFixture::SetState(const std::string& worker,
                               v1::Worker::State state) {
  const auto record = loop_.Await(store_->Write(
      [worker, state, now = clock_.Now()](storage::Transaction& tx) {
        return tx.workers.SetState(worker, state, "new disk", "Ada", now);
      }));
  ASSERT_TRUE(record.has_value()) << record.error().message;
  dispatcher_->HoldBack(worker, workers::HeldBack(*record));
}

storage::WorkerRecord DispatchFixture::GetWorker(const std::string& name) {
  return *loop_.Await(store_->Read(
      [name](storage::Transaction& tx) { return tx.workers.Get(name); }));
}

void DispatchFixture::FailOne(const Worker& worker) {
  const RunId run = Queue(v1::Run::KIND_FINAL);
  Demand(worker, 1);
  const auto lease = ExpectLease(worker);
  HandBack(worker, lease, /*fault=*/true);
  Settle();
  const auto cancelled = loop_.Await(
      store_->Write([run, now = clock_.Now()](storage::Transaction& tx) {
        return tx.runs.Cancel(run, now, "done with");
      }));
  ASSERT_TRUE(cancelled.has_value()) << cancelled.error().message;
}

void DispatchFixture::Sweep() {
  dispatcher_->SweepNow();
  Settle();
}

DispatchFixture::Worker DispatchFixture::Attach(
    const std::string& name, int slots,
    const std::vector<AttachRequest::Held>& held) {
  AttachRequest::Hello hello;
  hello.set_worker_id(name);
  hello.set_slots(slots);
  for (const auto& h : held) *hello.add_held() = h;
  return Attach(std::move(hello));
}

DispatchFixture::Worker DispatchFixture::Attach(AttachRequest::Hello hello) {
  Worker worker{.link = std::make_shared<FakeLink>()};
  worker.session = dispatcher_->Open(worker.link);
  AttachRequest request;
  *request.mutable_hello() = std::move(hello);
  Say(worker, request);
  return worker;
}

void DispatchFixture::Say(const Worker& worker, AttachRequest request) {
  bool handled = false;
  loop_.Spawn([](Dispatcher* dispatcher, Dispatcher::SessionId session,
                 AttachRequest message,
                 bool* done) -> boost::asio::awaitable<void> {
    co_await dispatcher->Handle(session, std::move(message));
    *done = true;
  }(dispatcher_.get(), worker.session, std::move(request), &handled));
  loop_.RunUntil([&] { return handled; });
}

void DispatchFixture::Demand(const Worker& worker, int count) {
  AttachRequest request;
  request.mutable_demand()->set_count(count);
  Say(worker, request);
}

void DispatchFixture::Beat(const Worker& worker,
                           const std::vector<AttachRequest::Held>& held) {
  AttachRequest request;
  request.mutable_heartbeat();
  for (const auto& h : held) *request.mutable_heartbeat()->add_held() = h;
  Say(worker, request);
}

void DispatchFixture::Report(const Worker& worker,
                             const AttachResponse::Lease& lease,
                             std::int64_t first_offset,
                             std::vector<v1::RunEvent> events) {
  AttachRequest request;
  auto& report = *request.mutable_report();
  report.set_run(lease.run());
  report.set_epoch(lease.epoch());
  report.set_first_offset(first_offset);
  for (auto& event : events) *report.add_events() = std::move(event);
  Say(worker, request);
}

void DispatchFixture::HandBack(const Worker& worker,
                               const AttachResponse::Lease& lease, bool fault) {
  AttachRequest request;
  request.mutable_hand_back()->set_run(lease.run());
  request.mutable_hand_back()->set_epoch(lease.epoch());
  request.mutable_hand_back()->set_reason("the launcher died");
  request.mutable_hand_back()->set_fault(fault);
  Say(worker, request);
}

void DispatchFixture::Goodbye(const Worker& worker) {
  AttachRequest request;
  request.mutable_goodbye();
  Say(worker, request);
}

RunId DispatchFixture::Queue(v1::Run::Kind kind, const std::string& attempt,
                             const storage::Needs& needs) {
  storage::RunRecord run;
  run.id = RunId("run_" + std::to_string(++runs_made_));
  run.attempt = AttemptId(attempt);
  run.assignment = AssignmentId("orders");
  run.kind = kind;
  run.commit = std::string(40, 'c');
  run.plan_digest = plan_digest_;
  run.trace_id = std::string(32, 'a');
  run.seed = 7;
  run.needs = storage::FormatNeeds(needs);
  // Later runs queue later.
  clock_.Advance(std::chrono::microseconds(1));
  run.queue_time = clock_.Now();
  const auto changes = loop_.Await(store_->Write(
      [run](storage::Transaction& tx) { return tx.runs.Enqueue(run); }));
  if (!changes) throw std::runtime_error(changes.error().message);
  feed_->Publish(*changes);
  return run.id;
}

storage::RunRecord DispatchFixture::Get(const RunId& run) {
  return *loop_.Await(store_->Read(
      [run](storage::Transaction& tx) { return tx.runs.Get(run); }));
}

AttachResponse DispatchFixture::Expect(const Worker& worker,
                                       AttachResponse::MessageCase kind) {
  boost::asio::steady_timer patience(loop_.context(), std::chrono::seconds(5));
  patience.async_wait([](boost::system::error_code cancelled) {
    if (!cancelled) throw std::runtime_error("the worker was not told");
  });
  loop_.RunUntil([&] { return worker.link->Has(kind); });
  patience.cancel();
  loop_.RunReady();
  return *worker.link->Take(kind);
}

AttachResponse::Lease DispatchFixture::ExpectLease(const Worker& worker) {
  return Expect(worker, AttachResponse::kLease).lease();
}

v1::RunEvent DispatchFixture::Phase(const std::string& name) {
  v1::RunEvent event;
  event.mutable_phase_started()->set_phase(name);
  return event;
}

v1::RunEvent DispatchFixture::Passed(const std::string& check) {
  v1::RunEvent event;
  auto& result = *event.mutable_check_finished()->mutable_result();
  result.set_check_id(check);
  result.set_verdict(v1::VERDICT_PASSED);
  result.set_points(5);
  result.set_earned(5);
  return event;
}

v1::RunEvent DispatchFixture::Finished(v1::Run::Outcome outcome) {
  v1::RunEvent event;
  event.mutable_finished()->set_outcome(outcome);
  return event;
}

AttachRequest::Held DispatchFixture::HeldOf(
    const AttachResponse::Lease& lease) {
  AttachRequest::Held held;
  held.set_run(lease.run());
  held.set_epoch(lease.epoch());
  return held;
}

}  // namespace assay::dispatch
