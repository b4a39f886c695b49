#include "services/telemetry/span_exporter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "assay/otlp/v1/export.pb.h"
#include "services/telemetry/otlp_sender.h"

namespace assay::telemetry {
namespace {

constexpr int kAttempts = 3;
constexpr std::chrono::seconds kLastChance{1};

}  // namespace

SpanExporter::SpanExporter(OtlpSettings settings)
    : settings_(std::move(settings)), thread_([this] { Work(); }) {}

SpanExporter::~SpanExporter() {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, kLastChance, [this] { return idle_; });
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void SpanExporter::Offer(otlp::v1::Span span) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= settings_.max_queue) {
    ++counts_.dropped;
    return;
  }
  queue_.push_back(std::move(span));
  idle_ = false;
  // Others may come: the thread looks by itself after a while.
  if (queue_.size() == 1 || queue_.size() == settings_.max_batch)
    changed_.notify_all();
}

SpanExporter::Counts SpanExporter::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.waiting = queue_.size();
  return counts;
}

void SpanExporter::Work() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    idle_ = queue_.empty();
    changed_.notify_all();
    changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    changed_.wait_for(lock, settings_.delay, [this] {
      return ending_ || stop_ || queue_.size() >= settings_.max_batch;
    });
    if (queue_.empty() || stop_) continue;
    std::vector<otlp::v1::Span> batch;
    while (!queue_.empty() && batch.size() < settings_.max_batch) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    idle_ = false;
    lock.unlock();
    const bool taken = Deliver(batch);
    lock.lock();
    (taken ? counts_.exported : counts_.dropped) += batch.size();
  }
  counts_.dropped += queue_.size();
}

bool SpanExporter::Deliver(const std::vector<otlp::v1::Span>& spans) {
  thread_local std::unique_ptr<OtlpSender> sender;
  if (!sender) sender = MakeOtlpSender(settings_, stop_);
  const std::string body = Encode(spans);
  std::chrono::milliseconds pause = settings_.first_pause;
  for (int attempt = 1;; ++attempt) {
    const Status sent = sender->Send(body);
    if (sent) {
      if (std::exchange(failing_, false))
        spdlog::info("telemetry: {} takes spans again", settings_.target);
      return true;
    }
    if (!std::exchange(failing_, true))
      spdlog::warn(
          "telemetry: {} does not take spans: {}; what does not fit the queue "
          "is dropped, and nothing else suffers",
          settings_.target, sent.error().message);
    if (sent.error().code != Code::kUnavailable || attempt == kAttempts)
      return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, pause, [this] { return stop_.load(); });
    if (stop_) return false;
    pause *= 2;
  }
}

std::string SpanExporter::Encode(
    const std::vector<otlp::v1::Span>& spans) const {
  otlp::v1::TraceExport message;
  auto& resource = *message.add_resource_spans();
  for (const auto& [key, value] : settings_.resource) {
    auto& attribute = *resource.mutable_resource()->add_attributes();
    attribute.set_key(key);
    attribute.mutable_value()->set_string_value(value);
  }
  auto& scope = *resource.add_scope_spans();
  scope.mutable_scope()->set_name("assay");
  for (const otlp::v1::Span& span : spans) *scope.add_spans() = span;
  return message.SerializeAsString();
}

}  // namespace assay::telemetry
