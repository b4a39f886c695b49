#include <fmt/format.h>

#include "assay/v1/trace_service.grpc.pb.h"
#include "services/cli/collector.h"
#include "services/cli/command_line.h"
#include "services/cli/otlp_json.h"
#include "services/cli/printable.h"
#include "services/cli/report_file.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"
#include "services/cli/trace_tree.h"

namespace assay::cli {
namespace {

using Stub = v1::TraceService::Stub;

struct ShowOptions {
  std::string run;
  int slowest = 0;
  bool sql = false;
  bool errors = false;
  bool all = false;
  int depth = 0;
  std::string check;
};

struct ExportOptions {
  std::string run;
  std::string format = "otlp-json";
  std::string to;
  std::string collector;
};

// Below what collectors take in one request (4 MiB in most), with room for
// evidence.
constexpr std::size_t kSpansOfPiece = 500;

std::string Duration(std::uint64_t ns) {
  return DurationText(std::chrono::nanoseconds(ns));
}

void PrintSlowest(Console& console, const std::vector<TraceNode>& roots,
                  int count) {
  std::vector<std::vector<std::string>> rows;
  for (const TraceNode* node : Slowest(roots)) {
    if (static_cast<int>(rows.size()) == count) break;
    rows.push_back({PadLeft(Duration(node->duration_ns), 9), node->service,
                    node->sql.empty() ? node->name : node->sql});
  }
  console.Table({"     TIME", "SERVICE", "SPAN"}, rows);
}

void PrintStatements(Console& console, const std::vector<TraceNode>& roots) {
  std::vector<std::vector<std::string>> rows;
  for (const StatementUse& use : Statements(roots)) {
    rows.push_back({PadLeft(std::to_string(use.count), 5),
                    PadLeft(Duration(use.total_ns), 9),
                    PadLeft(Duration(use.longest_ns), 9), use.sql});
  }
  console.Table({"COUNT", "    TOTAL", "  LONGEST", "STATEMENT"}, rows);
}

Expected<v1::GetTraceResponse> GetTrace(Context& context,
                                        const std::string& run) {
  v1::GetTraceRequest request;
  request.set_run(FullName("runs", run));
  return context.server().Call(&Stub::GetTrace, request);
}

std::size_t CountSpans(const v1::GetTraceResponse& trace) {
  std::size_t count = 0;
  for (const auto& resource : trace.resource_spans()) {
    for (const auto& scope : resource.scope_spans()) {
      count += static_cast<std::size_t>(scope.spans_size());
    }
  }
  return count;
}

Outcome Export(Context& context, const ExportOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto trace, GetTrace(context, options.run));
  Console& console = context.console();
  const std::size_t count = CountSpans(trace);
  if (!options.collector.empty()) {
    for (const auto& piece : OtlpJsonPieces(trace, kSpansOfPiece)) {
      ASSAY_RETURN_IF_ERROR(SendToCollector(options.collector, piece));
    }
    console.Note(fmt::format("{} spans sent to {}", count, options.collector));
    return kSuccess;
  }
  std::string text;
  if (options.format == "jsonl") {
    for (const auto& piece : OtlpJsonPieces(trace, kSpansOfPiece)) {
      text += piece + "\n";
    }
  } else {
    text = OtlpJson(trace) + "\n";
  }
  if (options.to.empty() || options.to == "-") {
    text.pop_back();
    console.JsonText(text);
    return kSuccess;
  }
  ASSAY_RETURN_IF_ERROR(WriteWholeFile(options.to, text));
  console.Note(fmt::format("{} spans in {}", count, options.to));
  return kSuccess;
}

Outcome Show(Context& context, const ShowOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto response, GetTrace(context, options.run));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  std::vector<TraceNode> roots = BuildTrace(response);
  if (!options.check.empty()) {
    const TraceNode* check = Find(roots, options.check);
    if (check == nullptr) {
      return InvalidArgument("no check \"", options.check,
                             "\" in the trace of ", ShortName(options.run));
    }
    roots = {TraceNode(*check)};
  }
  if (roots.empty()) {
    console.Note("no spans: the run has not started, or nothing was traced");
  } else if (options.sql) {
    PrintStatements(console, roots);
  } else if (options.slowest > 0) {
    PrintSlowest(console, roots, options.slowest);
  } else {
    for (const auto& text : TreeLines(roots, {.errors_only = options.errors,
                                              .all = options.all,
                                              .depth = options.depth})) {
      console.Line(console.looks().live ? Shorten(text, console.looks().width)
                                        : text);
    }
  }
  if (response.dropped_span_count() > 0) {
    console.Note(fmt::format("{} more spans were dropped by a quota",
                             response.dropped_span_count()));
  }
  return kSuccess;
}

}  // namespace

void AddTraceCommands(CommandLine& line) {
  CLI::App& group = line.Group(line.app(), "trace", "What happened in a run");
  auto show = line.Add<ShowOptions>(
      group, "show",
      "Phases, checks, steps, requests and statements as a tree with durations",
      "  assay trace show run_7f3k\n"
      "  assay trace show run_7f3k --sql        how often each statement ran\n"
      "  assay trace show run_7f3k --check few-queries\n"
      "  assay trace show run_7f3k --slowest 10",
      Show);
  show.app.add_option("run", show.options->run, "Run")->required();
  auto* slowest = show.app.add_option("--slowest", show.options->slowest,
                                      "Only the N longest spans, as a list");
  auto* sql = show.app.add_flag("--sql", show.options->sql,
                                "SQL statements with counts and times");
  auto* errors = show.app.add_flag("--errors", show.options->errors,
                                   "Only what failed, and the way to it");
  show.app.add_option("--check", show.options->check, "Only this check");
  show.app.add_option("--depth", show.options->depth, "Only so many levels");
  show.app.add_flag("--all", show.options->all,
                    "Each span on a line of its own, statements in full");
  sql->excludes(slowest)->excludes(errors);
  errors->excludes(slowest);

  auto out = line.Add<ExportOptions>(
      group, "export",
      "The whole trace in OpenTelemetry's JSON, for Jaeger, Tempo and others",
      "  assay trace export run_7f3k --to trace.json      Jaeger opens it\n"
      "  assay trace export run_7f3k --format jsonl > trace.jsonl\n"
      "  assay trace export run_7f3k --collector http://127.0.0.1:4318",
      Export);
  out.app.add_option("run", out.options->run, "Run")->required();
  out.app
      .add_option("--format", out.options->format,
                  "otlp-json: one document; jsonl: an export on each line")
      ->check(CLI::IsMember({"otlp-json", "jsonl"}))
      ->capture_default_str();
  auto* to = out.app.add_option("--to", out.options->to,
                                "File; standard output without it");
  out.app
      .add_option("--collector", out.options->collector,
                  "OTLP/HTTP address of a collector to send it to")
      ->excludes(to);
  AddTraceEvidenceCommand(line, group);
}

}  // namespace assay::cli
