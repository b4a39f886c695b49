#include <cstdlib>
#include <pugixml.hpp>

#include "runner/reports/import.h"
#include "runner/reports/import_cases.h"

namespace assay::reports {
namespace {

using Outcome = ImportedCase::Outcome;

constexpr int kMaxDepth = 64;

// Reports come with and without a namespace.
std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string MessageOf(const pugi::xml_node& node) {
  std::string message = node.attribute("message").value();
  const std::string text = node.text().get();
  if (!text.empty() && text != message) {
    if (!message.empty()) message += "\n";
    message += text;
  }
  if (message.empty()) message = node.attribute("type").value();
  return message;
}

ImportedCase CaseOf(const pugi::xml_node& node) {
  ImportedCase one;
  const std::string name = node.attribute("name").value();
  const std::string owner = node.attribute("classname").value();
  one.name = owner.empty() || name.empty() ? name : owner + "." + name;
  one.seconds = std::strtod(node.attribute("time").value(), nullptr);
  if (!(one.seconds >= 0) || one.seconds > 1e9) one.seconds = 0;
  for (const pugi::xml_node& child : node.children()) {
    const std::string_view kind = LocalName(child);
    Outcome outcome;
    if (kind == "error") {
      outcome = Outcome::kErrored;
    } else if (kind == "failure") {
      outcome = Outcome::kFailed;
    } else if (kind == "skipped") {
      outcome = Outcome::kSkipped;
    } else {
      continue;
    }
    // Some frameworks report a failure and then an error in the teardown.
    if (one.outcome == Outcome::kPassed || outcome > one.outcome) {
      one.outcome = outcome;
      one.message = MessageOf(child);
    }
  }
  return one;
}

class Reader {
 public:
  Expected<Imported> Read(const pugi::xml_node& root) {
    const std::string_view name = LocalName(root);
    if (name != "testsuites" && name != "testsuite") {
      return InvalidArgument("not JUnit XML: the root is <", name,
                             ">, expected <testsuites> or <testsuite>");
    }
    const bool deep = !Walk(root, 0);
    Imported imported = list_.Take();
    imported.total += counted_.total;
    imported.skipped += counted_.skipped;
    imported.failed += counted_.failed;
    imported.errored += counted_.errored;
    imported.passed +=
        counted_.total - counted_.skipped - counted_.failed - counted_.errored;
    if (deep) imported.problem = "test suites nest too deeply";
    return imported;
  }

 private:
  bool Walk(const pugi::xml_node& suite, int depth) {
    if (depth > kMaxDepth) return false;
    bool empty = true;
    bool fine = true;
    for (const pugi::xml_node& child : suite.children()) {
      const std::string_view name = LocalName(child);
      if (name == "testcase") {
        list_.Add(CaseOf(child));
        empty = false;
      } else if (name == "testsuite") {
        fine = Walk(child, depth + 1) && fine;
        empty = false;
      }
    }
    if (empty && LocalName(suite) == "testsuite") Count(suite);
    return fine;
  }

  // A suite that counts its cases without naming them.
  void Count(const pugi::xml_node& suite) {
    const auto number = [&](const char* name) {
      const long long value = suite.attribute(name).as_llong(0);
      return value < 0 || value > 1'000'000 ? 0 : value;
    };
    counted_.total += number("tests");
    counted_.skipped += number("skipped");
    counted_.failed += number("failures");
    counted_.errored += number("errors");
  }

  CaseList list_;
  Imported counted_;
};

}  // namespace

Expected<Imported> ImportJunit(std::string_view xml) {
  if (xml.size() > kMaxImportBytes) {
    return ResourceExhausted("the report has ", xml.size(), " bytes");
  }
  pugi::xml_document document;
  // No DTD, no entities but XML's own.
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) {
    return InvalidArgument("not XML: ", parsed.description(), " at byte ",
                           parsed.offset);
  }
  return Reader().Read(document.document_element());
}

}  // namespace assay::reports
