#include "services/cli/kill_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "services/cli/printable.h"
#include "services/cli/run_view.h"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNothing = 1e-9;

std::string Score(const KillRow& row) {
  return fmt::format("{}/{}", PointsText(row.earned), PointsText(row.max));
}

std::string CaughtBy(const KillRow& row) {
  return fmt::format("{}", fmt::join(row.lost, ", "));
}

// Table cells are one line, and words of programs stay words.
std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : Printable(text)) {
    if (c == '|' || c == '<' || c == '`') cell += '\\';
    cell += c;
  }
  return cell;
}

}  // namespace

bool KillTable::ok() const {
  return !rows.empty() && std::all_of(rows.begin(), rows.end(),
                                      [](const KillRow& r) { return r.ok(); });
}

std::string OurFault(const v1::Run& run) {
  if (run.outcome() == v1::Run::OUTCOME_ERRORED) return run.outcome_reason();
  for (const v1::CheckResult& check : run.checks()) {
    if (check.verdict() == v1::VERDICT_ERRORED ||
        check.verdict() == v1::VERDICT_INCONCLUSIVE) {
      return check.check_id() + ": " + check.reason();
    }
  }
  return "";
}

void AddRun(const plan::v1::Plan& plan, const v1::Run& run, KillRow& row) {
  const bool first = row.runs++ == 0;
  bool as_declared = true;
  for (const plan::v1::Check& check : plan.checks()) {
    const auto result = std::find_if(run.checks().begin(), run.checks().end(),
                                     [&](const v1::CheckResult& one) {
                                       return one.check_id() == check.id();
                                     });
    // A run that ended early has no word on some checks.
    const double earned = result == run.checks().end() ? 0 : result->earned();
    const double full = suite::FullPoints(check);
    if (first) {
      row.earned += earned;
      row.max += full;
      if (earned < full - kNothing) row.lost.push_back(check.id());
    }
    const auto said = row.solution.earns.find(check.id());
    const double declared = said == row.solution.earns.end() ? 0 : said->second;
    if (std::abs(earned - declared) < kNothing) continue;
    as_declared = false;
    KillRow::Surprise& surprise = row.surprises[check.id()];
    surprise.declared = declared;
    surprise.earned = earned;
    surprise.reason =
        result == run.checks().end() ? run.outcome_reason() : result->reason();
    ++surprise.times;
  }
  if (as_declared) ++row.as_declared;
}

void PrintKillRow(Console& console, const KillRow& row, std::size_t id_width) {
  const std::string mark = row.ok() ? console.Paint(Color::kGreen, "✓")
                                    : console.Paint(Color::kRed, "✗");
  console.Line(fmt::format(
      "{} {}  {}  {}  {}", mark, PadRight(row.solution.id, id_width),
      PadLeft(Score(row), 9),
      console.Paint(Color::kDim,
                    fmt::format("{} of {}", row.as_declared, row.runs)),
      CaughtBy(row)));
  if (!row.problem.empty()) {
    console.Line("    " + console.Paint(Color::kRed, Printable(row.problem)));
  }
  // A build that failed has one reason, not one for each check.
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const auto& [check, surprise] : row.surprises) {
    by_reason[surprise.reason].push_back(fmt::format(
        "{}: earned {}, declared {} ({})", check, PointsText(surprise.earned),
        PointsText(surprise.declared),
        surprise.times == 1 ? "once"
                            : fmt::format("{} times", surprise.times)));
  }
  for (const auto& [reason, checks] : by_reason) {
    for (const std::string& check : checks) console.Line("    " + check);
    if (reason.empty()) continue;
    console.Line("      " + console.Paint(Color::kYellow, Printable(reason)));
  }
}

void PrintKillEnd(Console& console, const KillTable& table) {
  for (const std::string& id : table.unguarded) {
    console.Line(console.Paint(
        Color::kYellow,
        "• " + id +
            ": no variant loses it, so that nothing shows that it "
            "can fail"));
  }
  const auto good = std::count_if(table.rows.begin(), table.rows.end(),
                                  [](const KillRow& row) { return row.ok(); });
  console.Line(
      console.Paint(table.ok() ? Color::kGreen : Color::kRed,
                    fmt::format("{} of {} solutions scored as declared", good,
                                table.rows.size())));
}

std::string KillTableMarkdown(const KillTable& table) {
  std::string text =
      "| solution | what it is | points | caught by |\n"
      "| --- | --- | ---: | --- |\n";
  for (const KillRow& row : table.rows) {
    std::string caught;
    for (const std::string& id : row.lost) {
      if (row.solution.kind != suite::KnownSolution::Kind::kVariant) break;
      caught += (caught.empty() ? "`" : ", `") + id + "`";
    }
    text += fmt::format("| `{}` | {} | {} / {} | {} |\n", row.solution.id,
                        Cell(row.solution.title), PointsText(row.earned),
                        PointsText(row.max),
                        row.ok() ? caught : "**not as declared** " + caught);
  }
  return text;
}

nlohmann::ordered_json KillTableJson(const KillTable& table) {
  Json rows = Json::array();
  for (const KillRow& row : table.rows) {
    Json surprises = Json::array();
    for (const auto& [check, surprise] : row.surprises) {
      surprises.push_back({{"check", check},
                           {"declared", surprise.declared},
                           {"earned", surprise.earned},
                           {"times", surprise.times},
                           {"reason", Printable(surprise.reason)}});
    }
    rows.push_back({{"id", row.solution.id},
                    {"title", row.solution.title},
                    {"ok", row.ok()},
                    {"runs", row.runs},
                    {"as_declared", row.as_declared},
                    {"points", row.earned},
                    {"max", row.max},
                    {"lost", row.lost},
                    {"surprises", surprises},
                    {"problem", Printable(row.problem)}});
  }
  return {{"suite", table.suite},
          {"ok", table.ok()},
          {"solutions", rows},
          {"unguarded", table.unguarded}};
}

}  // namespace assay::cli
