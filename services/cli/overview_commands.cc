#include <fmt/format.h>

#include "assay/v1/overview_service.grpc.pb.h"
#include "assay/v1/suite_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/file_tree.h"
#include "services/cli/overview_view.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::OverviewService::Stub;

struct NoOptions {};
struct CandidatesOptions {
  std::string name;
  bool csv = false;
};
struct VersionOptions {
  std::string name;
  int version = 0;
};
struct SuiteOptions {
  std::string name;
  std::string dir;
  int version = 0;
};

Outcome Home(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto home,
      context.server().Call(&Stub::GetHome, v1::GetHomeRequest()));
  if (context.console().json())
    context.console().Json(home);
  else
    ShowHome(context.console(), home);
  return kSuccess;
}

Outcome Queue(Context& context, const NoOptions&) {
  ASSAY_ASSIGN_OR_RETURN(
      auto home, context.server().Call(&Stub::GetHome, v1::GetHomeRequest()));
  home.clear_funnels();
  home.clear_waiting();
  home.clear_waiting_count();
  if (context.console().json())
    context.console().Json(home);
  else
    ShowQueue(context.console(), home);
  return kSuccess;
}

Outcome Candidates(Context& context, const CandidatesOptions& options) {
  v1::ListCandidatesRequest request;
  request.set_assignment(FullName("assignments", options.name));
  request.set_page_size(500);
  v1::ListCandidatesResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page, context.server().Call(&Stub::ListCandidates, request));
    all.mutable_candidates()->MergeFrom(page.candidates());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  Console& console = context.console();
  if (console.json())
    console.Json(all);
  else if (options.csv)
    ShowCandidatesCsv(console, all);
  else
    ShowCandidates(console, all);
  return kSuccess;
}

Outcome Stats(Context& context, const VersionOptions& options) {
  v1::GetStatisticsRequest request;
  request.set_assignment(FullName("assignments", options.name));
  request.set_version(options.version);
  ASSAY_ASSIGN_OR_RETURN(const auto statistics,
                         context.server().Call(&Stub::GetStatistics, request));
  if (context.console().json())
    context.console().Json(statistics);
  else
    ShowStatistics(context.console(), statistics);
  return kSuccess;
}

Outcome GetSuite(Context& context, const SuiteOptions& options) {
  v1::GetSuiteRequest request;
  request.set_name(FullName("assignments", options.name));
  request.set_version(options.version);
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&v1::SuiteService::Stub::GetSuite, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  if (!options.dir.empty()) {
    ASSAY_RETURN_IF_ERROR(WriteTree(response.suite(), options.dir));
    console.Note(fmt::format("{} files of version {} are in {}",
                             response.suite().files_size(), response.version(),
                             options.dir));
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& file : response.suite().files())
    rows.push_back(
        {std::to_string(file.content().size()), Printable(file.path())});
  console.Table({"BYTES", "FILE"}, rows);
  return kSuccess;
}

}  // namespace

void AddOverviewCommands(CommandLine& line) {
  line.Add<NoOptions>(line.app(), "overview",
                      "Where everything stands: funnels, what waits for a "
                      "person, the queue",
                      "  assay overview\n"
                      "  assay overview --json",
                      Home);
  line.Add<NoOptions>(line.app(), "queue",
                      "Runs that wait, in the order of their turns, and what "
                      "each waits for",
                      "  assay queue\n"
                      "  assay queue --json",
                      Queue);
  CLI::App& group = *line.app().get_subcommand("assignment");
  auto candidates = line.Add<CandidatesOptions>(
      group, "candidates", "Everybody who was invited, and how far they are",
      "  assay assignment candidates orders-api\n"
      "  assay assignment candidates orders-api --csv > candidates.csv",
      Candidates);
  candidates.app.add_option("name", candidates.options->name, "Assignment")
      ->required();
  candidates.app.add_flag("--csv", candidates.options->csv,
                          "As CSV, for a spreadsheet");
  auto stats = line.Add<VersionOptions>(
      group, "stats",
      "Scores, pass rates and how well each check tells candidates apart",
      "  assay assignment stats orders-api\n"
      "  assay assignment stats orders-api --version 2 --json",
      Stats);
  stats.app.add_option("name", stats.options->name, "Assignment")->required();
  stats.app.add_option("--version", stats.options->version,
                       "Only attempts on this version [any]");
  auto suite = line.Add<SuiteOptions>(
      group, "suite", "The suite's files, as a version has them",
      "  assay assignment suite orders-api\n"
      "  assay assignment suite orders-api --version 2 --out suite/",
      GetSuite);
  suite.app.add_option("name", suite.options->name, "Assignment")->required();
  suite.app.add_option("--version", suite.options->version,
                       "A version [the current one]");
  suite.app.add_option("--out", suite.options->dir,
                       "Write them to this new folder [only list them]");
}

}  // namespace assay::cli
