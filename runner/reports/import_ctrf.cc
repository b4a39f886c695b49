#include "runner/reports/import.h"
#include "runner/reports/import_cases.h"
#include "runner/suite/json_text.h"

namespace assay::reports {
namespace {

using nlohmann::json;
using Outcome = ImportedCase::Outcome;

std::string TextOf(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

double NumberOf(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}

ImportedCase CaseOf(const json& test) {
  ImportedCase one;
  one.name = TextOf(test, "name");
  const auto suite = test.find("suite");
  if (suite != test.end() && suite->is_string()) {
    one.name = suite->get<std::string>() + " > " + one.name;
  } else if (suite != test.end() && suite->is_array()) {
    std::string prefix;
    for (const json& part : *suite) {
      if (part.is_string()) prefix += part.get<std::string>() + " > ";
    }
    one.name = prefix + one.name;
  }
  const std::string status = TextOf(test, "status");
  one.outcome = status == "passed"   ? Outcome::kPassed
                : status == "failed" ? Outcome::kFailed
                : status == "skipped" || status == "pending"
                    ? Outcome::kSkipped
                    : Outcome::kErrored;
  one.message = TextOf(test, "message");
  if (one.outcome == Outcome::kErrored && one.message.empty()) {
    one.message = "status \"" + status + "\"";
  }
  one.seconds = NumberOf(test, "duration") / 1000;
  return one;
}

}  // namespace

Expected<Imported> ImportCtrf(std::string_view text) {
  const auto document = suite::ParseJson(text);
  if (!document) return std::unexpected(document.error());
  if (!document->is_object() || !document->contains("results") ||
      !(*document)["results"].is_object()) {
    return InvalidArgument("not CTRF: there is no object \"results\"");
  }
  const json& results = (*document)["results"];
  const auto tests = results.find("tests");
  if (tests == results.end() || !tests->is_array()) {
    return InvalidArgument("not CTRF: \"results\" has no list \"tests\"");
  }
  CaseList list;
  for (const json& test : *tests) {
    if (!test.is_object()) {
      return InvalidArgument("not CTRF: an entry of \"tests\" is no object");
    }
    list.Add(CaseOf(test));
  }
  return list.Take();
}

}  // namespace assay::reports
