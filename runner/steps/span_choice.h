#ifndef ASSAY_RUNNER_STEPS_SPAN_CHOICE_H_
#define ASSAY_RUNNER_STEPS_SPAN_CHOICE_H_

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "assay/otlp/v1/trace.pb.h"
#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/evaluator.h"
#include "runner/steps/observations.h"

namespace assay::steps {

// Finds the spans that a `trace` step means.
//
// Ownership: borrows everything.
class SpanChoice {
 public:
  using Span = assay::otlp::v1::Span;

  SpanChoice(const assay::plan::v1::TraceStep& step, const Observations& seen,
             assertions::Evaluator& evaluator);

  // All of them in this check, or in the run.
  std::vector<const Span*> InCheck() const;
  std::vector<const Span*> InRun() const;
  // Those of one request.
  std::vector<const Span*> Below(const std::string& span_id) const;

 private:
  bool IsMeant(const Span& span) const;
  bool NameHolds(const Span& span) const;
  // Whether `holds` does for a span above this one; chains that are too long or
  // go round end.
  template <class Holds>
  bool AnyAbove(const Span& span, Holds holds) const;

  const assay::plan::v1::TraceStep& step_;
  const Observations& seen_;
  assertions::Evaluator& evaluator_;
  std::unordered_map<std::string_view, const Span*> by_id_;
};

// The attribute's value as JSON; null where there is none.
nlohmann::json AttributeOf(const assay::otlp::v1::Span& span,
                           std::string_view key);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_SPAN_CHOICE_H_
