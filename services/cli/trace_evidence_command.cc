#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/v1/run_service.grpc.pb.h"
#include "assay/v1/trace_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/evidence.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/run_view.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;
using Step = v1::CheckResult::Step;

struct EvidenceOptions {
  std::string run;
  std::string check;
  // Counted from 1; 0: every one.
  int step = 0;
  bool failed = false;
  bool curl = false;
};

// One step that was asked for.
struct Asked {
  const v1::CheckResult* check = nullptr;
  const Step* step = nullptr;
  int number = 0;
  Evidence evidence;
};

bool Wanted(const EvidenceOptions& options, const Step& step, int number) {
  const bool failed = step.verdict() != v1::VERDICT_PASSED &&
                      step.verdict() != v1::VERDICT_SKIPPED;
  return (options.step == 0 || options.step == number) &&
         (!options.failed || failed);
}

Expected<std::vector<Asked>> Choose(const v1::Run& run,
                                    const EvidenceOptions& options,
                                    const EvidenceIndex& index) {
  std::vector<Asked> chosen;
  bool known = options.check.empty();
  int steps = 0;
  for (const v1::CheckResult& check : run.checks()) {
    if (!options.check.empty() && options.check != check.check_id()) continue;
    known = true;
    steps = std::max(steps, check.steps_size());
    for (int i = 0; i < check.steps_size(); ++i) {
      const Step& step = check.steps(i);
      if (Wanted(options, step, i + 1))
        chosen.push_back({.check = &check,
                          .step = &step,
                          .number = i + 1,
                          .evidence = index.Of(step.span_id())});
    }
  }
  if (!known)
    return NotFound("no check \"", options.check, "\" has a result in ",
                    ShortName(run.name()), "; assay run score lists them");
  if (options.step > steps)
    return NotFound("there is no step ", options.step, ": the most are ",
                    steps);
  return chosen;
}

void PrintIndented(Console& console, std::string_view text) {
  const std::string clean = Printable(text, Lines::kMany);
  std::string_view rest = clean;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    console.Line(end == 0 ? "" : fmt::format("      {}", rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void PrintMessage(Console& console, std::string_view title,
                  const std::string& text, std::string_view nothing) {
  console.Line(fmt::format("    {}", console.Paint(Color::kDim, title)));
  PrintIndented(console, text.empty() ? nothing : text);
}

void PrintStatements(Console& console,
                     const std::vector<EvidenceStatement>& statements) {
  for (const EvidenceStatement& one : statements) {
    const std::string took =
        DurationText(std::chrono::nanoseconds(one.total_ns));
    std::string how = took;
    if (one.count > 1)
      how = fmt::format("{} times, {} in all", one.count, took);
    else if (!one.rows.empty())
      how = fmt::format("{}, rows: {}", took, Printable(one.rows));
    console.Line(fmt::format("    {}  {}", Printable(one.text),
                             console.Paint(Color::kDim, how)));
  }
}

// Of a burst, those that are alike but for their answers are shown by the
// first of them.
struct Alike {
  const Exchange* first = nullptr;
  int count = 0;
  std::uint64_t longest_ns = 0;
};

std::vector<Alike> GroupAlike(const std::vector<Exchange>& exchanges) {
  std::vector<Alike> groups;
  for (const Exchange& exchange : exchanges) {
    auto group = std::ranges::find_if(groups, [&](const Alike& one) {
      return one.first->name == exchange.name &&
             one.first->request == exchange.request &&
             one.first->status == exchange.status;
    });
    if (group == groups.end())
      group = groups.insert(group, {.first = &exchange});
    ++group->count;
    group->longest_ns = std::max(group->longest_ns, exchange.duration_ns);
  }
  return groups;
}

std::string HowAnswered(const Alike& group) {
  const std::string status = Printable(group.first->status);
  const std::string took =
      DurationText(std::chrono::nanoseconds(group.longest_ns));
  const std::string what =
      status.empty() ? "was not answered" : "answered " + status;
  return group.count == 1
             ? fmt::format("{} after {}", what, took)
             : fmt::format("{} times, {} after at most {}; the first:",
                           group.count, what, took);
}

void PrintExchange(Console& console, const Alike& group) {
  const Exchange& exchange = *group.first;
  console.Line(fmt::format("  {}  {}", Printable(exchange.name),
                           console.Paint(Color::kDim, HowAnswered(group))));
  if (!exchange.error.empty())
    console.Line(fmt::format("    {}", Printable(exchange.error)));
  PrintMessage(console, "request", exchange.request,
               "no headers of its own, no body");
  PrintMessage(console, "answer", exchange.answer, "nothing");
  PrintStatements(console, exchange.statements);
  if (exchange.curl.empty()) return;
  console.Line(fmt::format("    {}", console.Paint(Color::kDim, "again")));
  PrintIndented(console, exchange.curl);
}

void Print(Console& console, const v1::Run& run,
           const std::vector<Asked>& chosen) {
  for (const Asked& asked : chosen) {
    console.Line(fmt::format("{} {}, step {}: {}",
                             VerdictText(asked.step->verdict()),
                             Printable(asked.check->check_id()), asked.number,
                             Printable(asked.step->title())));
    if (!asked.step->reason().empty())
      PrintIndented(console, asked.step->reason());
    for (const Alike& group : GroupAlike(asked.evidence.exchanges))
      PrintExchange(console, group);
    PrintStatements(console, asked.evidence.statements);
    if (asked.evidence.empty())
      console.Line(run.state() == v1::Run::STATE_FINISHED
                       ? "  it sent nothing itself, or that was beyond what a "
                         "trace holds"
                       : "  nothing has come from the worker so far");
    console.Line();
  }
}

Json StatementsJson(const std::vector<EvidenceStatement>& statements) {
  Json list = Json::array();
  for (const EvidenceStatement& one : statements)
    list.push_back({{"sql", one.text},
                    {"count", one.count},
                    {"rows", one.rows},
                    {"totalMs", static_cast<double>(one.total_ns) / 1e6}});
  return list;
}

Json EvidenceJson(const Asked& asked) {
  Json exchanges = Json::array();
  for (const Exchange& exchange : asked.evidence.exchanges)
    exchanges.push_back(
        {{"name", exchange.name},
         {"request", exchange.request},
         {"answer", exchange.answer},
         {"status", exchange.status},
         {"error", exchange.error},
         {"durationMs", static_cast<double>(exchange.duration_ns) / 1e6},
         {"curl", exchange.curl},
         {"statements", StatementsJson(exchange.statements)}});
  return {{"checkId", asked.check->check_id()},
          {"step", asked.number},
          {"title", asked.step->title()},
          {"verdict", v1::Verdict_Name(asked.step->verdict())},
          {"reason", asked.step->reason()},
          {"position", asked.step->position()},
          {"exchanges", std::move(exchanges)},
          {"statements", StatementsJson(asked.evidence.statements)}};
}

Outcome Show(Context& context, const EvidenceOptions& options) {
  v1::GetRunRequest get;
  get.set_name(FullName("runs", options.run));
  ASSAY_ASSIGN_OR_RETURN(
      const auto found,
      context.server().Call(&v1::RunService::Stub::GetRun, get));
  v1::GetTraceRequest ask;
  ask.set_run(get.name());
  ASSAY_ASSIGN_OR_RETURN(
      const auto trace,
      context.server().Call(&v1::TraceService::Stub::GetTrace, ask));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Asked> chosen,
                         Choose(found.run(), options, EvidenceIndex(trace)));
  Console& console = context.console();
  if (console.json()) {
    Json all = Json::array();
    for (const Asked& asked : chosen) all.push_back(EvidenceJson(asked));
    console.JsonText(all.dump(1, ' ', false, Json::error_handler_t::replace));
  } else if (options.curl) {
    std::set<std::string> printed;
    for (const Asked& asked : chosen)
      for (const Exchange& exchange : asked.evidence.exchanges)
        if (!exchange.curl.empty() && printed.insert(exchange.curl).second)
          console.Line(exchange.curl);
  } else {
    if (chosen.empty()) console.Note("no such step in this run so far");
    Print(console, found.run(), chosen);
  }
  return kSuccess;
}

}  // namespace

void AddTraceEvidenceCommand(CommandLine& line, CLI::App& group) {
  auto show = line.Add<EvidenceOptions>(
      group, "evidence",
      "What each step of a check sent and got, its statements, and a curl that "
      "repeats it",
      "  assay trace evidence run_7f3k --failed\n"
      "  assay trace evidence run_7f3k create-order --step 2\n"
      "  SERVICE=http://127.0.0.1:8080 bash -c \"$(assay trace evidence "
      "run_7f3k "
      "create-order --step 2 --curl)\"\n"
      "  assay trace evidence run_7f3k --json | jq '.[].exchanges[].curl'",
      Show);
  show.app.add_option("run", show.options->run, "Run")->required();
  show.app.add_option("check", show.options->check, "Only of this check");
  show.app
      .add_option("--step", show.options->step,
                  "Only this step, counted from 1")
      ->check(CLI::PositiveNumber);
  show.app.add_flag("--failed", show.options->failed,
                    "Only steps that did not pass");
  show.app.add_flag(
      "--curl", show.options->curl,
      "Only the commands for bash. SERVICE is where yours runs; a "
      "credential is a variable of its header's name, BODY_FILE a "
      "body that is not recorded whole");
}

}  // namespace assay::cli
