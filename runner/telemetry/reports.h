#ifndef ASSAY_RUNNER_TELEMETRY_REPORTS_H_
#define ASSAY_RUNNER_TELEMETRY_REPORTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "assay/otlp/v1/export.pb.h"
#include "runner/telemetry/otlp_decode.h"
#include "runner/telemetry/tracer.h"

namespace assay::telemetry {

enum class OtlpSignal { kTraces, kLogs, kMetrics };

// What a service reports about itself: its claim, kept apart from what wires
// saw. Spans join the run's trace, marked `assay.source` = reported; attributes
// that begin with `assay.` and a `service.name` of its own are taken away, so
// that it can speak for nobody else. Sizes and numbers are bounded, and what is
// dropped is counted.
//
// Ownership: borrows the tracer.
// Threads: confined to the run's thread.
class Reports {
 public:
  // Of a run.
  static constexpr std::int64_t kSpans = 10'000;
  static constexpr std::size_t kSeries = 2'000;

  struct Limits {
    std::int64_t spans = kSpans;
    // Of log records, and of attributes.
    std::size_t text_bytes = 4 << 20;
  };
  // Whether the service may go on as it does.
  enum class Taken { kAll, kBad, kOverQuota };

  Reports(Tracer& tracer, Limits limits);

  // An export of the service called `service`. `problem` says what is bad.
  Taken Take(OtlpSignal signal, std::string_view service, std::string_view body,
             OtlpFormat format, bool gzip, std::string& problem);

  // Everything that log records said so far, a line each.
  const std::string& logs() const { return logs_; }
  // "name=value" of every attribute of a reported span, a line each.
  const std::string& span_attributes() const { return span_attributes_; }
  // The sum over the series of that name with these labels, and how many there
  // are. A histogram counts as its number of observations.
  struct Sum {
    double value = 0;
    int series = 0;
  };
  Sum Find(const std::string& metric,
           const std::map<std::string, std::string>& labels) const;

  std::int64_t spans() const { return spans_; }
  std::int64_t dropped() const { return dropped_; }
  // Is told of every line of a log, and after every export.
  void SetLogSink(std::function<void(const std::string&)> sink) {
    log_sink_ = std::move(sink);
  }
  void SetNews(std::function<void()> news) { news_ = std::move(news); }

 private:
  using Labels = std::map<std::string, std::string>;

  Taken TakeSpans(assay::otlp::v1::TraceExport exported,
                  std::string_view service);
  Taken TakeLogs(const assay::otlp::v1::LogsExport& exported);
  Taken TakeMetrics(const assay::otlp::v1::MetricsExport& exported);
  // False: it cannot be a span.
  bool Clean(assay::otlp::v1::Span& span, std::string_view service);
  void Keep(const std::string& metric,
            const google::protobuf::RepeatedPtrField<assay::otlp::v1::KeyValue>&
                attributes,
            double value);

  Tracer& tracer_;
  const Limits limits_;
  std::int64_t spans_ = 0;
  std::int64_t dropped_ = 0;
  std::string logs_;
  std::string span_attributes_;
  std::map<std::string, std::map<Labels, double>> metrics_;
  std::size_t series_ = 0;
  std::function<void(const std::string&)> log_sink_;
  std::function<void()> news_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_REPORTS_H_
