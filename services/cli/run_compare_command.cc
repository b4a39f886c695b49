#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "assay/v1/assignment_service.grpc.pb.h"
#include "assay/v1/run_service.grpc.pb.h"
#include "assay/v1/trace_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/run_view.h"
#include "services/cli/trace_tree.h"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

// How many kinds of statements are listed; JSON has all.
constexpr std::size_t kListed = 20;

// In a run's place.
constexpr char kReference[] = "reference";

struct CompareOptions {
  std::string here;
  std::string there;
};

struct Side {
  v1::Run run;
  std::vector<TraceNode> trace;
};

// One check in both; null where a run has no result for it.
struct CheckPair {
  const v1::CheckResult* here = nullptr;
  const v1::CheckResult* there = nullptr;

  const v1::CheckResult& any() const { return here ? *here : *there; }
  bool same() const {
    return here && there && here->verdict() == there->verdict() &&
           here->earned() == there->earned();
  }
};

struct StatementPair {
  std::string sql;
  StatementUse here;
  StatementUse there;

  double Difference() const {
    return std::abs(static_cast<double>(here.total_ns) -
                    static_cast<double>(there.total_ns));
  }
};

Expected<Side> Load(Context& context, const std::string& name) {
  Side side;
  v1::GetRunRequest get;
  get.set_name(FullName("runs", name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto found,
      context.server().Call(&v1::RunService::Stub::GetRun, get));
  side.run = found.run();
  v1::GetTraceRequest trace;
  trace.set_run(get.name());
  ASSAY_ASSIGN_OR_RETURN(
      const auto spans,
      context.server().Call(&v1::TraceService::Stub::GetTrace, trace));
  side.trace = BuildTrace(spans);
  return side;
}

// In the order of the first run; what only the second has comes last.
std::vector<CheckPair> PairChecks(const v1::Run& here, const v1::Run& there) {
  std::vector<CheckPair> pairs;
  std::map<std::string, std::size_t> places;
  for (const v1::CheckResult& check : here.checks()) {
    places[check.check_id()] = pairs.size();
    pairs.push_back({.here = &check});
  }
  for (const v1::CheckResult& check : there.checks()) {
    const auto it = places.find(check.check_id());
    if (it != places.end())
      pairs[it->second].there = &check;
    else
      pairs.push_back({.there = &check});
  }
  return pairs;
}

// Those first whose time differs most.
std::vector<StatementPair> PairStatements(const Side& here, const Side& there) {
  std::map<std::string, StatementPair> found;
  for (const StatementUse& use : Statements(here.trace))
    found[use.sql].here = use;
  for (const StatementUse& use : Statements(there.trace))
    found[use.sql].there = use;
  std::vector<StatementPair> pairs;
  for (auto& [sql, pair] : found) {
    pair.sql = sql;
    pairs.push_back(std::move(pair));
  }
  std::ranges::sort(pairs, std::greater<>(), &StatementPair::Difference);
  return pairs;
}

std::string ScoreText(const v1::Run& run) {
  if (!run.has_score()) return StateText(run.state());
  return fmt::format("{}/{}", PointsText(run.score().earned()),
                     PointsText(run.score().max()));
}

std::string ResultText(const v1::CheckResult* check) {
  if (check == nullptr) return "-";
  return fmt::format("{} {}/{}", VerdictText(check->verdict()),
                     PointsText(check->earned()), PointsText(check->points()));
}

std::string UseText(const StatementUse& use) {
  if (use.count == 0) return "-";
  return fmt::format("{} × {:.1f} ms", use.count,
                     static_cast<double>(use.total_ns) / use.count / 1e6);
}

Json CheckJson(const v1::CheckResult* check) {
  if (check == nullptr) return nullptr;
  return {{"verdict", v1::Verdict_Name(check->verdict())},
          {"earned", check->earned()},
          {"points", check->points()},
          {"reason", check->reason()}};
}

Json UseJson(const StatementUse& use) {
  return {{"count", use.count},
          {"totalMs", static_cast<double>(use.total_ns) / 1e6}};
}

Json RunJson(const v1::Run& run) {
  return {{"name", run.name()},
          {"commit", run.commit()},
          {"earned", run.score().earned()},
          {"max", run.score().max()}};
}

void PrintJson(Console& console, const Side& here, const Side& there) {
  Json all = {{"here", RunJson(here.run)}, {"there", RunJson(there.run)}};
  all["checks"] = Json::array();
  for (const CheckPair& pair : PairChecks(here.run, there.run))
    all["checks"].push_back({{"checkId", pair.any().check_id()},
                             {"title", pair.any().title()},
                             {"same", pair.same()},
                             {"here", CheckJson(pair.here)},
                             {"there", CheckJson(pair.there)}});
  all["statements"] = Json::array();
  for (const StatementPair& pair : PairStatements(here, there))
    all["statements"].push_back({{"sql", pair.sql},
                                 {"here", UseJson(pair.here)},
                                 {"there", UseJson(pair.there)}});
  console.JsonText(all.dump(1, ' ', false, Json::error_handler_t::replace));
}

void Print(Console& console, const Side& here, const Side& there) {
  const std::string a = ShortName(here.run.name());
  const std::string b = ShortName(there.run.name());
  console.Line(fmt::format("{}  {}", a, ScoreText(here.run)));
  console.Line(fmt::format("{}  {}", b, ScoreText(there.run)));
  console.Line();
  std::vector<std::vector<std::string>> rows;
  const std::vector<CheckPair> checks = PairChecks(here.run, there.run);
  for (const CheckPair& pair : checks)
    if (!pair.same())
      rows.push_back({Printable(pair.any().check_id()), ResultText(pair.here),
                      ResultText(pair.there), Printable(pair.any().title())});
  console.Line(
      fmt::format("{} of {} checks differ", rows.size(), checks.size()));
  if (!rows.empty()) console.Table({"CHECK", a, b, "TITLE"}, rows);
  rows.clear();
  for (const StatementPair& pair : PairStatements(here, there)) {
    if (rows.size() == kListed) break;
    rows.push_back(
        {UseText(pair.here), UseText(pair.there), Printable(pair.sql)});
  }
  if (rows.empty()) return;
  console.Line();
  console.Table({a, b, "STATEMENT"}, rows);
}

// The run of the author's own solution that `run` is compared with.
Expected<std::string> ReferenceOf(Context& context, const v1::Run& run) {
  v1::GetReferenceRequest request;
  request.set_name(run.assignment());
  request.set_version(run.assignment_version());
  ASSAY_ASSIGN_OR_RETURN(
      const auto found,
      context.server().Call(&v1::AssignmentService::Stub::GetReference,
                            request));
  if (found.reference().has_run()) return found.reference().run().name();
  return FailedPrecondition(
      "version ", run.assignment_version(), " of ", ShortName(run.assignment()),
      " has no reference run; its author makes one with: assay assignment "
      "reference ",
      ShortName(run.assignment()), " FOLDER");
}

Outcome Compare(Context& context, const CompareOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const Side here, Load(context, options.here));
  std::string other = options.there;
  if (other == kReference) {
    ASSAY_ASSIGN_OR_RETURN(other, ReferenceOf(context, here.run));
  }
  ASSAY_ASSIGN_OR_RETURN(const Side there, Load(context, other));
  if (context.console().json())
    PrintJson(context.console(), here, there);
  else
    Print(context.console(), here, there);
  return kSuccess;
}

}  // namespace

void AddRunCompareCommand(CommandLine& line, CLI::App& group) {
  auto compare = line.Add<CompareOptions>(
      group, "compare",
      "Which checks differ between two runs, and what their databases did",
      "  assay run compare run_7f3k run_9a1c\n"
      "  assay run compare run_7f3k reference\n"
      "  assay run compare run_7f3k run_9a1c --json | jq .checks",
      Compare);
  compare.app.add_option("here", compare.options->here, "Run")->required();
  compare.app
      .add_option("there", compare.options->there,
                  "The other run, or \"reference\": that of the author's "
                  "solution")
      ->required();
}

}  // namespace assay::cli
