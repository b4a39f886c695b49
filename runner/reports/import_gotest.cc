#include <map>
#include <set>

#include "runner/reports/import.h"
#include "runner/reports/import_cases.h"
#include "runner/suite/json_text.h"

namespace assay::reports {
namespace {

using nlohmann::json;
using Outcome = ImportedCase::Outcome;

std::string TextOf(const json& event, const char* key) {
  const auto it = event.find(key);
  return it != event.end() && it->is_string() ? it->get<std::string>() : "";
}

struct Test {
  std::string outcome;  // "pass", "fail", "skip"; empty: it never ended
  std::string output;
  double seconds = 0;
};

// Tests in the order in which they started, by package.
class Events {
 public:
  void Take(const json& event) {
    const std::string action = TextOf(event, "Action");
    const std::string package = TextOf(event, "Package");
    const std::string name = TextOf(event, "Test");
    Test& test = Find(package, name);
    if (action == "output") {
      const std::string output = TextOf(event, "Output");
      // Marks of the framework itself say nothing.
      if (!output.starts_with("=== ") && !output.starts_with("--- ") &&
          test.output.size() < kMaxMessage) {
        test.output += output;
      }
    }
    if (action != "pass" && action != "fail" && action != "skip") return;
    test.outcome = action;
    const auto elapsed = event.find("Elapsed");
    if (elapsed != event.end() && elapsed->is_number()) {
      test.seconds = elapsed->get<double>();
    }
  }

  Imported Finish() {
    CaseList list;
    for (const auto& [package, name] : order_) {
      const Test& test = tests_[{package, name}];
      if (name.empty()) {
        AddPackage(package, test, list);
      } else if (!parents_.contains({package, name})) {
        list.Add(CaseOf(package, name, test));
      }
    }
    return list.Take();
  }

 private:
  using Id = std::pair<std::string, std::string>;

  Test& Find(const std::string& package, const std::string& name) {
    const Id id = {package, name};
    const auto [it, fresh] = tests_.try_emplace(id);
    if (fresh) {
      order_.push_back(id);
      if (!name.empty()) with_tests_.insert(package);
      for (std::size_t slash = name.rfind('/');
           slash != std::string::npos && slash > 0;
           slash = name.rfind('/', slash - 1)) {
        parents_.insert({package, name.substr(0, slash)});
      }
    }
    return it->second;
  }

  static ImportedCase CaseOf(const std::string& package,
                             const std::string& name, const Test& test) {
    ImportedCase one;
    one.name = package.empty() ? name : package + "." + name;
    one.seconds = test.seconds;
    one.outcome = test.outcome == "pass"   ? Outcome::kPassed
                  : test.outcome == "skip" ? Outcome::kSkipped
                  : test.outcome == "fail" ? Outcome::kFailed
                                           : Outcome::kErrored;
    if (one.outcome != Outcome::kPassed) one.message = test.output;
    if (test.outcome.empty()) one.message = "did not end\n" + test.output;
    return one;
  }

  // A package that fails without a test: it did not build, or panicked.
  void AddPackage(const std::string& package, const Test& test,
                  CaseList& list) const {
    if (test.outcome != "fail" || with_tests_.contains(package)) return;
    ImportedCase one;
    one.name = package.empty() ? "go test" : package;
    one.outcome = Outcome::kErrored;
    one.message = test.output.empty() ? "did not build" : test.output;
    list.Add(std::move(one));
  }

  std::map<Id, Test> tests_;
  std::vector<Id> order_;
  std::set<Id> parents_;
  std::set<std::string> with_tests_;
};

}  // namespace

Expected<Imported> ImportGoTest(std::string_view text) {
  Events events;
  std::size_t read = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    start = end + 1;
    if (!line.starts_with("{")) continue;
    const auto event = suite::ParseJson(line);
    if (!event || !event->is_object() || !event->contains("Action")) continue;
    events.Take(*event);
    if (++read > 50 * kMaxCases) break;
  }
  if (read == 0) {
    return InvalidArgument(
        "not the output of go test -json: no line is an event");
  }
  return events.Finish();
}

}  // namespace assay::reports
