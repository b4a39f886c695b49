// TAP 13 and 14. The protocol leaves much open; this follows what npm's
// tap-parser makes of a stream, subtests and all.

#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>

#include "runner/reports/import.h"
#include "runner/reports/import_cases.h"

namespace assay::reports {
namespace {

using Outcome = ImportedCase::Outcome;

constexpr int kMaxDepth = 32;
constexpr std::string_view kIndent = "    ";

std::string_view TrimView(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string Trim(std::string_view text) { return std::string(TrimView(text)); }

// What a line is, by itself.
struct Patterns {
  RE2 point{R"(^(not )?ok(?: ([0-9]+))?(?:(?: -)?( .*?))?(\{?)$)"};
  RE2 pragma{R"(^pragma ([+-])([a-zA-Z0-9_-]+)$)"};
  RE2 bailout{R"((?i)^bail out!(.*)$)"};
  RE2 version{R"((?i)^TAP version ([0-9]+)$)"};
  RE2 plan{R"(^([0-9]+)\.\.([0-9]+)(?:\s+(?:#\s*(.*)))?$)"};
  RE2 subtest{R"(^# Subtest(?:: (.*))?$)"};
  RE2 directive{R"((?i)^(todo|skip)\S*\b(.*)$)"};
};

const Patterns& P() {
  static const Patterns kPatterns;
  return kPatterns;
}

struct Point {
  bool ok = true;
  std::string id;
  std::string name;
  bool skip = false;
  bool todo = false;
  std::string directive;
  // Ends in "{": its subtest follows.
  bool buffered = false;
  std::string diagnostics;
  bool has_diagnostics = false;
};

// "name # SKIP reason": the first # behind a blank that is not escaped opens
// the directive.
std::size_t DirectiveStart(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
      return i;
  }
  return std::string::npos;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() &&
        (text[i + 1] == '\\' || text[i + 1] == '#')) {
      ++i;
    }
    plain += text[i];
  }
  return plain;
}

std::optional<Point> ParsePoint(const std::string& line) {
  std::string no;
  std::string rest;
  std::string brace;
  Point point;
  if (!RE2::FullMatch(line, P().point, &no, &point.id, &rest, &brace)) {
    return std::nullopt;
  }
  point.ok = no.empty();
  point.buffered = !brace.empty();
  const std::size_t hash = DirectiveStart(rest);
  if (hash == std::string::npos) {
    point.name = Trim(Unescape(rest));
    return point;
  }
  point.name = Trim(Unescape(rest.substr(0, hash)));
  const std::string directive = Trim(rest.substr(hash + 1));
  std::string kind;
  if (RE2::FullMatch(directive, P().directive, &kind, &point.directive)) {
    point.todo = kind[0] == 't' || kind[0] == 'T';
    point.skip = !point.todo;
    point.directive = Trim(point.directive);
  }
  // "ok 1 - name {  # time=5ms" opens a subtest as well.
  if (point.name.ends_with("{")) {
    point.name = Trim(point.name.substr(0, point.name.size() - 1));
    point.buffered = true;
  }
  return point;
}

// One level of a stream; subtests are parsers of their own.
class Parser {
 public:
  Parser(Parser* parent, std::string name, bool buffered)
      : parent_(parent),
        name_(std::move(name)),
        buffered_(buffered),
        depth_(parent == nullptr ? 0 : parent->depth_ + 1),
        strict_(parent != nullptr && parent->strict_) {}

  void Line(std::string line) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    // Blank lines of a subtest or a block of diagnostics may have lost their
    // indentation.
    if (line.empty() && child_ != nullptr) line = kIndent;
    if (line.empty() && in_yaml_) line = yaml_indent_;
    if (bailing_ && TrimView(line) != "}") return;
    if (parent_ != nullptr && !in_yaml_ && RE2::FullMatch(line, P().version)) {
      return;
    }
    const std::size_t indent = line.find_first_not_of(" \t");
    if (!line.empty() && indent != 0) {
      Indented(line, line.substr(0, std::min(indent, line.size())));
      return;
    }
    if (child_ != nullptr && child_->buffered_ && line == "}") {
      EndChild();
      FinishPoint();
      return;
    }
    if (line.empty()) return;
    Unindented(line);
  }

  void End() {
    if (ended_) return;
    if (in_yaml_) YamlWasNone();
    FinishPoint();
    ended_ = true;
    if (plan_start_ == 1 && plan_end_ == 0) {
      if (totals_.total == 0) {
        totals_.ok = true;
      } else {
        Breach("plan of 1..0, but tests were run");
      }
      skipped_all_ = true;
    } else if (!totals_.bailed_out && plan_start_ < 0) {
      if (totals_.total > 0) Breach("no plan");
    } else if (totals_.ok && totals_.total != plan_end_ - plan_start_ + 1) {
      Breach("planned " + std::to_string(plan_end_ - plan_start_ + 1) +
             " tests, ran " + std::to_string(totals_.total));
    }
    if (skipped_all_) totals_.skip = totals_.total;
  }

  const TapTotals& totals() const { return totals_; }
  std::vector<std::string>& errors() { return errors_; }
  std::vector<ImportedCase>& cases() { return cases_; }

 private:
  void Breach(std::string what) {
    totals_.ok = false;
    ++totals_.fail;
    if (errors_.size() < 20) errors_.push_back(std::move(what));
  }

  void NonTap(const std::string& line) {
    if (bailing_ && line == "}") return;
    if (!strict_) return;
    Breach("a line that is not TAP, under \"pragma +strict\"");
    if (parent_ != nullptr) {
      parent_->Breach("a line that is not TAP, under \"pragma +strict\"");
    }
  }

  static bool IsTap(const std::string& line) {
    return ParsePoint(line).has_value() || RE2::FullMatch(line, P().pragma) ||
           RE2::FullMatch(line, P().bailout) ||
           RE2::FullMatch(line, P().version) ||
           RE2::FullMatch(line, P().plan) || RE2::FullMatch(line, P().subtest);
  }

  static bool IsComment(std::string_view line) {
    return TrimView(line).starts_with("#");
  }

  void Unindented(const std::string& line) {
    if (current_ && line == "{" && current_->has_diagnostics &&
        !current_->buffered && child_ == nullptr) {
      current_->buffered = true;
      return;
    }
    if (!IsTap(line)) {
      if (!IsComment(line)) NonTap(line);
      return;
    }
    if (in_yaml_) YamlWasNone();
    std::string name;
    const bool subtest = RE2::FullMatch(line, P().subtest, &name);
    maybe_child_.reset();
    if (after_plan_) {
      NonTap(line);
      return;
    }
    if (subtest) {
      maybe_child_ = name;
      return;
    }
    Statement(line);
  }

  void Statement(const std::string& line) {
    std::string a;
    std::string b;
    std::string c;
    if (RE2::FullMatch(line, P().bailout, &a)) {
      BailOut(Trim(Unescape(a)), false);
    } else if (RE2::FullMatch(line, P().pragma, &a, &b)) {
      if (child_ != nullptr) return NonTap(line);
      FinishPoint();
      if (!totals_.bailed_out && b == "strict") strict_ = a == "+";
    } else if (RE2::FullMatch(line, P().version, &a)) {
      const bool first =
          plan_start_ < 0 && totals_.total == 0 && !current_.has_value();
      if (!first || std::strtod(a.c_str(), nullptr) < 13) NonTap(line);
    } else if (RE2::FullMatch(line, P().plan, &a, &b, &c)) {
      Plan(a, b, line);
    } else if (auto point = ParsePoint(line)) {
      TakePoint(*std::move(point));
    }
  }

  // Numbers of a stream may be of any length; what does not fit was not meant.
  static double Number(const std::string& digits) {
    return std::strtod(digits.c_str(), nullptr);
  }

  void Plan(const std::string& start_text, const std::string& end_text,
            const std::string& line) {
    if (plan_start_ >= 0 || child_ != nullptr || in_yaml_) return NonTap(line);
    FinishPoint();
    if (totals_.bailed_out) return;
    const double start = Number(start_text);
    const double end = Number(end_text);
    if (start > 1e15 || end > 1e15) return NonTap(line);
    if (end < start && end != 0 && start != 1) {
      if (strict_) return Breach("the plan ends before it starts");
      return NonTap(line);
    }
    plan_start_ = static_cast<std::int64_t>(start);
    plan_end_ = static_cast<std::int64_t>(end);
    if (totals_.total == 0 && plan_end_ != 0) return;
    for (const auto& [id, unused] : seen_) {
      if (id < start || id > end) Breach("a test is outside of the plan");
    }
    after_plan_ = true;
  }

  void TakePoint(Point point) {
    if (child_ == nullptr) FinishPoint();
    if (totals_.bailed_out) return;
    if (!point.id.empty()) {
      const double id = Number(point.id);
      if (plan_start_ >= 0 && (id < static_cast<double>(plan_start_) ||
                               id > static_cast<double>(plan_end_))) {
        Breach("test " + point.id + " is outside of the plan");
      }
      if (!seen_.emplace(id, true).second) {
        Breach("test " + point.id + " was run twice");
      }
    }
    if (child_ != nullptr) FinishPoint();
    if (totals_.bailed_out) return;
    if (!point.skip && !point.todo) totals_.ok = totals_.ok && point.ok;
    current_ = std::move(point);
  }

  // Counts the point that was waiting for its diagnostics or its subtest.
  void FinishPoint() {
    if (totals_.bailed_out) return;
    EndChild();
    in_yaml_ = false;
    if (!current_) return;
    const Point point = *std::exchange(current_, std::nullopt);
    ++totals_.total;
    if (point.ok) {
      ++totals_.pass;
    } else {
      ++totals_.fail;
      if (!point.todo && !point.skip) totals_.ok = false;
    }
    if (point.skip) ++totals_.skip;
    if (point.todo) ++totals_.todo;
    AddCase(point);
  }

  void AddCase(const Point& point) {
    // A point whose subtest has cases stands for them.
    if (!child_cases_.empty()) {
      for (ImportedCase& one : std::exchange(child_cases_, {})) {
        if (!point.name.empty()) one.name = point.name + " > " + one.name;
        if (point.todo && one.outcome == Outcome::kFailed) {
          one.outcome = Outcome::kSkipped;
        }
        cases_.push_back(std::move(one));
      }
      return;
    }
    if (cases_.size() > kMaxCases) return;
    ImportedCase one;
    one.name = point.name.empty() ? "test " + std::to_string(totals_.total)
                                  : point.name;
    // A TODO is expected to fail.
    one.outcome = point.skip || (point.todo && !point.ok) ? Outcome::kSkipped
                  : point.ok                              ? Outcome::kPassed
                                                          : Outcome::kFailed;
    one.message = one.outcome == Outcome::kSkipped ? point.directive
                  : point.ok                       ? ""
                                                   : point.diagnostics;
    cases_.push_back(std::move(one));
  }

  void StartChild(const std::string& line) {
    const bool buffered = current_ && current_->buffered;
    std::string name;
    const std::string body = line.substr(kIndent.size());
    const bool announced =
        !buffered && !maybe_child_ && RE2::FullMatch(body, P().subtest, &name);
    if (!buffered) FinishPoint();
    if (totals_.bailed_out) return;
    if (maybe_child_) name = *maybe_child_;
    maybe_child_.reset();
    if (depth_ >= kMaxDepth) {
      Breach("subtests nest too deeply");
      return;
    }
    child_ = std::make_unique<Parser>(this, Trim(name), buffered);
    if (!announced) child_->Line(body);
  }

  void EndChild() {
    if (child_ == nullptr) return;
    if (bailing_ && child_->totals_.total == 0) return;
    const std::unique_ptr<Parser> child = std::move(child_);
    child->End();
    if (!child->totals_.ok) totals_.ok = false;
    child_cases_ = std::move(child->cases_);
  }

  void BailOut(const std::string& reason, bool from_child) {
    if (bailing_) return;
    bailing_ = true;
    if (from_child) {
      current_.reset();
    } else {
      FinishPoint();
    }
    totals_.bailed_out = true;
    totals_.bailout_reason = reason;
    totals_.ok = false;
    if (parent_ == nullptr) return;
    End();
    parent_->BailOut(reason, true);
  }

  void YamlWasNone() {
    in_yaml_ = false;
    FinishPoint();
    if (!totals_.bailed_out) NonTap("---");
  }

  void Indented(const std::string& line, const std::string& indent) {
    if (child_ != nullptr && line.starts_with(kIndent)) {
      // The child may end itself by bailing out.
      child_->Line(line.substr(kIndent.size()));
      return;
    }
    if (in_yaml_) {
      if (line.starts_with(yaml_indent_)) return YamlLine(line);
      YamlWasNone();
    }
    if (current_ && line == indent + "---") {
      in_yaml_ = true;
      yaml_indent_ = indent;
      return;
    }
    if (line.starts_with(kIndent) && MayStartChild(line)) return;
    if (!IsComment(line)) NonTap(line);
  }

  bool MayStartChild(const std::string& line) {
    const std::string body = line.substr(kIndent.size());
    if (maybe_child_ || (current_ && current_->buffered) ||
        RE2::FullMatch(body, P().subtest)) {
      StartChild(line);
      return true;
    }
    // A subtest that nobody announced: TAP at a multiple of four blanks.
    const std::size_t text = line.find_first_not_of(' ');
    if (text == std::string::npos || text % kIndent.size() != 0) return false;
    const std::string inner = line.substr(text);
    if (!IsTap(inner)) return false;
    StartChild(line);
    return true;
  }

  void YamlLine(const std::string& line) {
    if (line == yaml_indent_ + "...") {
      in_yaml_ = false;
      return;
    }
    if (!current_) return;
    const std::string body = line.substr(yaml_indent_.size());
    if (!TrimView(body).empty()) current_->has_diagnostics = true;
    if (current_->diagnostics.size() < kMaxMessage) {
      current_->diagnostics += body + "\n";
    }
  }

  Parser* parent_;
  std::string name_;
  bool buffered_;
  int depth_;
  bool strict_;
  TapTotals totals_;
  std::vector<std::string> errors_;
  std::vector<ImportedCase> cases_;
  std::vector<ImportedCase> child_cases_;
  std::optional<Point> current_;
  std::optional<std::string> maybe_child_;
  std::unique_ptr<Parser> child_;
  std::map<double, bool> seen_;
  std::int64_t plan_start_ = -1;
  std::int64_t plan_end_ = -1;
  std::string yaml_indent_;
  bool in_yaml_ = false;
  bool after_plan_ = false;
  bool bailing_ = false;
  bool ended_ = false;
  bool skipped_all_ = false;
};

}  // namespace

TapReport ReadTap(std::string_view text) {
  Parser parser(nullptr, "", false);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    parser.Line(std::string(text.substr(start, end - start)));
    start = end + 1;
  }
  parser.End();
  return {parser.totals(), std::move(parser.cases()),
          std::move(parser.errors())};
}

Expected<Imported> ImportTap(std::string_view text) {
  if (text.size() > kMaxImportBytes) {
    return ResourceExhausted("the report has ", text.size(), " bytes");
  }
  TapReport report = ReadTap(text);
  CaseList list;
  for (ImportedCase& one : report.cases) list.Add(std::move(one));
  Imported imported = list.Take();
  if (report.totals.bailed_out) {
    imported.problem = "bail out: " + (report.totals.bailout_reason.empty()
                                           ? "no reason given"
                                           : report.totals.bailout_reason);
  } else if (!report.errors.empty()) {
    imported.problem = report.errors.front();
  } else if (!report.totals.ok && imported.failed + imported.errored == 0) {
    imported.problem = "a subtest broke the protocol";
  }
  return imported;
}

}  // namespace assay::reports
