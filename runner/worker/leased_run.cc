#include "runner/worker/leased_run.h"

#include <google/protobuf/util/time_util.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <utility>

#include "proto/base/fault_point.h"
#include "runner/telemetry/trace_context.h"
#include "runner/worker/on_pool.h"
#include "runner/worker/phase_events.h"

namespace assay::worker {
namespace {

// assay-run keeps the run's own limit, with results for what was done by then;
// this is for when it does not.
constexpr std::chrono::seconds kLimitSlack{30};

std::chrono::milliseconds RunLimit(const plan::v1::Plan& plan) {
  return kLimitSlack +
         std::chrono::milliseconds(
             google::protobuf::util::TimeUtil::DurationToMilliseconds(
                 plan.limits().run_timeout()));
}

}  // namespace

LeasedRun::LeasedRun(RunTools tools, runner::v1::AttachResponse::Lease lease,
                     std::function<void()> on_events)
    : tools_(std::move(tools)),
      lease_(std::move(lease)),
      on_events_(std::move(on_events)),
      outbox_(lease_.run(), lease_.epoch()),
      room_(tools_.executor, boost::asio::steady_timer::time_point::max()) {}

void LeasedRun::Tell(std::vector<v1::RunEvent> events) {
  outbox_.Add(std::move(events));
  on_events_();
}

void LeasedRun::AddSpan(const char* name, std::uint64_t begin, bool ok) {
  const auto parent = telemetry::ParseTraceparent(lease_.traceparent());
  if (!parent) return;
  otlp::v1::Span& span = spans_.emplace_back();
  span.set_trace_id(parent->trace_id);
  span.set_span_id(telemetry::RandomBytes(8));
  span.set_parent_span_id(parent->span_id);
  span.set_name(name);
  span.set_start_time_unix_nano(begin);
  span.set_end_time_unix_nano(telemetry::NowNanos());
  if (!ok)
    span.mutable_status()->set_code(otlp::v1::SpanStatus::STATUS_CODE_ERROR);
}

Expected<RunOrder> LeasedRun::MakeOrder(
    const std::filesystem::path& plan,
    const std::filesystem::path& pack) const {
  RunOrder order{.run = lease_.run(),
                 .epoch = lease_.epoch(),
                 .traceparent = lease_.traceparent(),
                 .seed = lease_.seed(),
                 .public_only = lease_.kind() == v1::Run::KIND_PUSH,
                 .tree = PackedCommit{.pack_file = pack.string(),
                                      .commit = lease_.commit()}};
  std::ifstream in(plan, std::ios::binary);
  if (!order.plan.ParseFromIstream(&in))
    return DataLoss("plan ", lease_.plan_digest(), " cannot be parsed");
  return order;
}

boost::asio::awaitable<Status> LeasedRun::Prepare(
    std::shared_ptr<LeasedRun> self, std::optional<PreparedRun>& prepared) {
  const std::uint64_t began = telemetry::NowNanos();
  // Until both have been read.
  const std::array<std::shared_ptr<void>, 2> held{
      self->tools_.fetcher->Hold(self->lease_.plan_digest()),
      self->tools_.fetcher->Hold(self->lease_.pack_digest())};
  ASSAY_CO_ASSIGN_OR_RETURN(const auto plan, co_await self->tools_.fetcher->Get(
                                                 self->lease_.plan_digest()));
  ASSAY_CO_ASSIGN_OR_RETURN(const auto pack, co_await self->tools_.fetcher->Get(
                                                 self->lease_.pack_digest()));
  self->AddSpan("fetch", began, true);
  ASSAY_CO_ASSIGN_OR_RETURN(RunOrder order, self->MakeOrder(plan, pack));
  self->limit_ = RunLimit(order.plan);
  auto work = [workshop = self->tools_.workshop, order = std::move(order)] {
    return workshop->Prepare(order);
  };
  const std::uint64_t fetched = telemetry::NowNanos();
  auto result = co_await OnPool(self->tools_.pool, std::move(work));
  self->AddSpan("prepare", fetched, result.has_value());
  if (result) {
    prepared = *std::move(result);
    co_return Status{};
  }
  const PrepareFailure& failure = result.error();
  if (!failure.commits_fault) co_return std::unexpected(failure.error);
  self->Tell({MaterialiseFailed(failure.error.message),
              BuildFailed(failure.error.message)});
  co_return Status{};
}

boost::asio::awaitable<Status> LeasedRun::Execute(
    std::shared_ptr<LeasedRun> self) {
  self->Tell({MaterialiseStarted()});
  std::optional<PreparedRun> prepared;
  ASSAY_CO_RETURN_IF_ERROR(co_await Prepare(self, prepared));
  if (self->aborted_) co_return assay::Fail(Code::kCancelled, "aborted");
  if (!prepared) co_return Status{};
  ReachFaultPoint("worker.prepared");
  const std::uint64_t began = telemetry::NowNanos();
  ASSAY_CO_ASSIGN_OR_RETURN(
      self->process_,
      RunProcess::Start(self->tools_.executor, self->tools_.run_program,
                        *std::move(prepared)));
  self->AddSpan("spawn", began, true);
  ReachFaultPoint("worker.spawned");
  const Status followed = co_await self->process_->Follow(
      [self](std::vector<v1::RunEvent> events) {
        return Take(self, std::move(events));
      },
      self->limit_);
  self->process_.reset();
  if (self->aborted_) co_return assay::Fail(Code::kCancelled, "aborted");
  co_return followed;
}

boost::asio::awaitable<void> LeasedRun::Take(std::shared_ptr<LeasedRun> self,
                                             std::vector<v1::RunEvent> events) {
  std::erase_if(events, StartsMaterialise);
  self->Tell(std::move(events));
  while (self->outbox_.Full() && !self->aborted_) {
    boost::system::error_code cancelled;
    co_await self->room_.async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
  }
}

void LeasedRun::Abort() {
  aborted_ = true;
  room_.cancel();
  if (process_) process_->Kill();
}

void LeasedRun::Acknowledge(std::int64_t next_offset) {
  outbox_.Acknowledge(next_offset);
  if (!outbox_.Full()) room_.cancel();
}

}  // namespace assay::worker
