#include "runner/worker/outbox.h"

#include <algorithm>
#include <utility>

namespace assay::worker {

using runner::v1::AttachRequest;

Outbox::Outbox(std::string run, std::uint64_t epoch)
    : run_(std::move(run)), epoch_(epoch) {}

void Outbox::Add(std::vector<v1::RunEvent> events) {
  for (v1::RunEvent& event : events) {
    ended_ = ended_ || event.has_finished();
    const std::size_t bytes = event.ByteSizeLong();
    bytes_ += bytes;
    unsent_bytes_ += bytes;
    items_.push_back({std::move(event), bytes});
  }
}

std::optional<AttachRequest::Report> Outbox::Next() {
  const auto sent = static_cast<std::size_t>(next_ - first_);
  if (sent == items_.size() || on_the_way_.size() >= kReportsOnTheWay)
    return std::nullopt;
  AttachRequest::Report report;
  report.set_run(run_);
  report.set_epoch(epoch_);
  report.set_first_offset(next_);
  std::size_t bytes = 0;
  for (std::size_t i = sent; i < items_.size(); ++i) {
    // One event alone may be larger.
    if (i > sent && bytes + items_[i].bytes > kReportBytes) break;
    bytes += items_[i].bytes;
    *report.add_events() = items_[i].event;
  }
  next_ += report.events_size();
  unsent_bytes_ -= bytes;
  on_the_way_.push_back(next_);
  return report;
}

void Outbox::Acknowledge(std::int64_t next_offset) {
  silent_beats_ = 0;
  while (first_ < next_offset && !items_.empty()) {
    bytes_ -= items_.front().bytes;
    if (first_ >= next_) unsent_bytes_ -= items_.front().bytes;
    items_.pop_front();
    ++first_;
  }
  next_ = std::max(next_, first_);
  // One acknowledgement for each report, in order. Less than its end: the
  // coordinator refused it for a gap, and those behind it for the same.
  if (on_the_way_.empty()) return;
  const std::int64_t end = on_the_way_.front();
  on_the_way_.pop_front();
  if (next_offset < end) Rewind();
}

void Outbox::Rewind() {
  next_ = first_;
  unsent_bytes_ = bytes_;
  on_the_way_.clear();
  silent_beats_ = 0;
}

void Outbox::Beat() {
  if (on_the_way_.empty())
    silent_beats_ = 0;
  else if (++silent_beats_ >= kPatientBeats)
    Rewind();
}

bool Outbox::Done() const { return ended_ && items_.empty(); }

}  // namespace assay::worker
