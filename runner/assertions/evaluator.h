#ifndef ASSAY_RUNNER_ASSERTIONS_EVALUATOR_H_
#define ASSAY_RUNNER_ASSERTIONS_EVALUATOR_H_

#include <chrono>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/failure.h"
#include "runner/assertions/schemas.h"
#include "runner/suite/template.h"

namespace assay::assertions {

// An HTTP answer as it was received.
struct HttpAnswer {
  int status = 0;
  // Names in lower case, in the order of arrival.
  std::vector<std::pair<std::string, std::string>> headers;
  // Decompressed.
  std::string body;
  // The body was longer than what was kept.
  bool body_truncated = false;
  std::chrono::microseconds duration{0};
};

// Holds answers against what a suite expects of them. Templates in operands
// are expanded against the scope; one that cannot be is a failure like any
// other, since it names a capture that did not happen.
//
// Ownership: borrows scope and schemas.
class Evaluator {
 public:
  Evaluator(const suite::Scope& scope, Schemas& schemas);

  // Everything that does not hold, in the order status, headers, time, body.
  // Empty: as expected.
  std::vector<Failure> Http(const plan::v1::HttpExpect& expect,
                            const HttpAnswer& answer);

  // Of an SQL step. Each row is an array in the order of `columns`, or an
  // object by column, which loses columns of the same name.
  std::vector<Failure> Rows(const plan::v1::SqlStep& step,
                            const std::vector<std::string>& columns,
                            const nlohmann::json& rows) const;

  // The parts. `what` names the thing in the sentence: "status", "header
  // location", "exit code". An absent value is a null pointer.
  std::optional<Failure> Status(const plan::v1::Expectation& expectation,
                                int status) const;
  std::optional<Failure> Text(const plan::v1::Expectation& expectation,
                              std::string_view what,
                              const std::string* text) const;
  std::optional<Failure> Value(const plan::v1::Expectation& expectation,
                               std::string_view what,
                               const nlohmann::json* value) const;
  std::optional<Failure> Number(const plan::v1::Expectation& expectation,
                                std::string_view what, double number) const;
  // In milliseconds, the unit of duration operands.
  std::optional<Failure> Duration(const plan::v1::Expectation& expectation,
                                  std::string_view what,
                                  std::chrono::microseconds duration) const;
  std::optional<Failure> Query(const plan::v1::Query& query,
                               const nlohmann::json& document) const;
  std::optional<Failure> Within(std::chrono::microseconds limit,
                                const plan::v1::Position& position,
                                std::chrono::microseconds duration) const;

 private:
  void Json(const plan::v1::HttpExpect& expect, const HttpAnswer& answer,
            std::vector<Failure>& failures);
  std::optional<Failure> Schema(const plan::v1::HttpExpect& expect,
                                const nlohmann::json& document);

  const suite::Scope& scope_;
  Schemas& schemas_;
};

// Whether `status` is what `expectation` allows; for readiness and `stop_on`.
bool StatusHolds(const plan::v1::Expectation& expectation, int status);

// The value that a capture takes from an answer, or a failure that says what
// was looked for and what was there.
std::expected<nlohmann::json, Failure> TakeCapture(
    const plan::v1::Capture& capture, const HttpAnswer& answer);
// From rows or another JSON document; jsonpath only.
std::expected<nlohmann::json, Failure> TakeCapture(
    const plan::v1::Capture& capture, const nlohmann::json& document);

}  // namespace assay::assertions

#endif  // ASSAY_RUNNER_ASSERTIONS_EVALUATOR_H_
