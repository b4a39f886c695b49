#ifndef ASSAY_RUNNER_STEPS_OBSERVATIONS_H_
#define ASSAY_RUNNER_STEPS_OBSERVATIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/otlp/v1/trace.pb.h"

namespace assay::steps {

// What the wires saw during one check, for its `trace` steps.
struct Observations {
  struct Request {
    // Of telemetry::Correlation.
    std::uint64_t number = 0;
    // "GET /orders".
    std::string title;
    std::string span_id;
  };
  struct Statement {
    // 0: no request, or not known which.
    std::uint64_t request = 0;
    std::string normalised;
    std::string summary;
    // BEGIN, COMMIT and the like: not counted as queries.
    bool transaction_control = false;
    bool failed = false;
    // Of `samples`; 0: none was kept.
    std::uint32_t sample = 0;
  };
  // One execution of a statement, to be explained later.
  struct Sample {
    // Name of the sidecar.
    std::string target;
    std::string text;
    std::string normalised;
    // Empty where they were not seen whole or not as text.
    std::optional<std::vector<std::optional<std::string>>> args;
    // $1, $2, ...
    std::size_t parameters = 0;
  };

  // A check with more than this is not for humans any more.
  static constexpr std::size_t kMost = 50'000;

  std::vector<Request> requests;
  std::vector<Statement> statements;
  // Statements over kMost, which were not kept.
  std::int64_t dropped = 0;

  // Of the check, one for each line of code that runs statements; counted from
  // 1 by Statement::sample.
  static constexpr std::size_t kSamples = 200;
  std::vector<Sample> samples;

  // Spans that wires saw and that the service reported, of the whole run; those
  // of this check begin at `first_span`. More than kSpans are counted only.
  static constexpr std::size_t kSpans = 20'000;
  std::vector<otlp::v1::Span> spans;
  std::size_t first_span = 0;
  std::int64_t dropped_spans = 0;

  void BeginCheck() {
    requests.clear();
    statements.clear();
    samples.clear();
    dropped = 0;
    first_span = spans.size();
  }
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_OBSERVATIONS_H_
