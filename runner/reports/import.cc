#include "runner/reports/import.h"

#include "runner/reports/import_cases.h"
#include "runner/suite/utf8.h"

namespace assay::reports {
namespace {

using Outcome = ImportedCase::Outcome;

// A retry that passes does not make a failure undone; a skipped repetition says
// nothing about one that ran.
int Weight(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSkipped:
      return 0;
    case Outcome::kPassed:
      return 1;
    case Outcome::kFailed:
      return 2;
    case Outcome::kErrored:
      return 3;
  }
  return 0;
}

// Text that can be shown and stored: valid UTF-8, no NUL, bounded.
std::string Clean(std::string_view text, std::size_t max) {
  std::string clean;
  for (std::size_t i = 0; i < text.size() && clean.size() <= max;) {
    char32_t c = suite::NextCodePoint(text, i);
    if (c == 0) c = 0xFFFD;
    suite::AppendUtf8(clean, c);
  }
  return suite::Shorten(clean, max);
}

Expected<Imported> ImportOne(std::string_view format, std::string_view text) {
  if (format == "junit") return ImportJunit(text);
  if (format == "tap") return ImportTap(text);
  if (format == "ctrf") return ImportCtrf(text);
  if (format == "gotest") return ImportGoTest(text);
  return InvalidArgument("unknown format ", format,
                         "; expected junit, tap, ctrf or gotest");
}

}  // namespace

void CaseList::Add(ImportedCase one) {
  one.name = Clean(one.name, 500);
  one.message = Clean(one.message, kMaxMessage);
  if (!one.name.empty()) {
    const auto [it, fresh] = by_name_.emplace(one.name, imported_.cases.size());
    if (!fresh) {
      ImportedCase& known = imported_.cases[it->second];
      known.seconds += one.seconds;
      if (Weight(one.outcome) > Weight(known.outcome)) {
        known.outcome = one.outcome;
        known.message = std::move(one.message);
      }
      return;
    }
  }
  if (imported_.cases.size() >= kMaxCases) {
    by_name_.erase(one.name);
    ++dropped_;
    return;
  }
  if (one.name.empty()) {
    one.name = "case " + std::to_string(imported_.cases.size() + 1);
  }
  imported_.cases.push_back(std::move(one));
}

Imported CaseList::Take() {
  for (const ImportedCase& one : imported_.cases) {
    ++imported_.total;
    switch (one.outcome) {
      case Outcome::kPassed:
        ++imported_.passed;
        break;
      case Outcome::kSkipped:
        ++imported_.skipped;
        break;
      case Outcome::kFailed:
        ++imported_.failed;
        break;
      case Outcome::kErrored:
        ++imported_.errored;
        break;
    }
  }
  if (dropped_ > 0) {
    imported_.problem = "the report has " + std::to_string(dropped_) +
                        " cases more than the " + std::to_string(kMaxCases) +
                        " that are read";
  }
  return std::move(imported_);
}

Expected<Imported> Import(
    std::string_view format,
    const std::vector<std::pair<std::string, std::string>>& files) {
  std::size_t bytes = 0;
  for (const auto& [name, text] : files) bytes += text.size();
  if (bytes > kMaxImportBytes) {
    return ResourceExhausted("the reports have ", bytes, " bytes, of which ",
                             kMaxImportBytes, " are read");
  }
  Imported all;
  for (const auto& [name, text] : files) {
    auto one = ImportOne(format, text);
    if (!one) return std::unexpected(one.error().Within(name));
    all.cases.insert(all.cases.end(), one->cases.begin(), one->cases.end());
    all.total += one->total;
    all.passed += one->passed;
    all.skipped += one->skipped;
    all.failed += one->failed;
    all.errored += one->errored;
    if (all.problem.empty() && !one->problem.empty()) {
      all.problem = name + ": " + one->problem;
    }
  }
  if (all.cases.size() > kMaxCases) all.cases.resize(kMaxCases);
  return all;
}

}  // namespace assay::reports
