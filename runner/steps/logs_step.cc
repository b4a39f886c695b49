#include "runner/steps/logs_step.h"

#include <re2/re2.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace assay::steps {
namespace {

using assay::plan::v1::LogsStep;

int LineAt(std::string_view text, std::size_t offset) {
  return 1 + static_cast<int>(std::ranges::count(text.substr(0, offset), '\n'));
}

Outcome CheckSecrets(const LogsStep& step, std::string_view source,
                     std::string_view text,
                     const telemetry::Redactor& redactor) {
  for (const std::string& name : step.forbid_secrets()) {
    if (const auto at = redactor.FindNamed(name, text)) {
      return Failed("expected no secret in " + std::string(source) +
                    ", found the value of " + name + " in line " +
                    std::to_string(LineAt(text, *at)));
    }
  }
  return {};
}

Outcome CheckPatterns(const LogsStep& step, std::string_view source,
                      std::string_view text) {
  for (const std::string& pattern : step.forbid_matches()) {
    const RE2 regex(pattern, RE2::Quiet);
    re2::StringPiece hit;
    if (!regex.ok()) return Errored("bad pattern: " + regex.error());
    if (regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                    RE2::UNANCHORED, &hit, 1)) {
      const auto at = static_cast<std::size_t>(hit.data() - text.data());
      return Failed("expected nothing like /" + pattern + "/ in " +
                    std::string(source) + ", found it in line " +
                    std::to_string(LineAt(text, at)));
    }
  }
  return {};
}

}  // namespace

Outcome RunLogsStep(const LogsStep& step, Surroundings& surroundings,
                    const telemetry::Redactor& redactor) {
  std::vector<std::string> sources(step.sources().begin(),
                                   step.sources().end());
  if (sources.empty()) sources = {"stdout", "stderr"};
  std::vector<std::string> texts;
  for (const std::string& source : sources) {
    texts.push_back(surroundings.Output(source));
    Outcome outcome = CheckSecrets(step, source, texts.back(), redactor);
    if (!outcome.passed()) return outcome;
    outcome = CheckPatterns(step, source, texts.back());
    if (!outcome.passed()) return outcome;
  }
  for (const std::string& pattern : step.require_matches()) {
    const bool found = std::ranges::any_of(texts, [&](const auto& text) {
      return RE2::PartialMatch(text, pattern);
    });
    if (!found) {
      return Failed("expected something like /" + pattern +
                    "/ in the logs, found none");
    }
  }
  return {};
}

}  // namespace assay::steps
