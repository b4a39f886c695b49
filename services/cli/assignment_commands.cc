#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "assay/v1/assignment_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/assignment_source.h"
#include "services/cli/brief_lint.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/suite_lint.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AssignmentService::Stub;

struct SourceOptions {
  std::string dir = ".";
  std::string id;
};

struct NameOptions {
  std::string name;
  int version = 0;
};

struct NoOptions {};

std::string LatePolicyText(v1::AssignmentSpec::LatePolicy policy) {
  switch (policy) {
    case v1::AssignmentSpec::LATE_POLICY_LATE:
      return "kept and marked late";
    case v1::AssignmentSpec::LATE_POLICY_PRACTICE:
      return "kept and run for practice";
    default:
      return "refused";
  }
}

std::string Reminders(const v1::AssignmentSpec& spec) {
  std::string text;
  for (const auto& before : spec.reminders())
    text += (text.empty() ? "" : ", ") + DurationText(before);
  return text.empty() ? "none" : text + " before the deadline";
}

// Which workers get its runs.
std::string WorkersText(const v1::AssignmentSpec& spec) {
  std::string text =
      spec.worker_pool().empty() ? "" : "pool " + spec.worker_pool();
  const std::map<std::string, std::string> labels(spec.worker_labels().begin(),
                                                  spec.worker_labels().end());
  for (const auto& [key, value] : labels)
    text += (text.empty() ? "" : ", ") + key + "=" + value;
  return text.empty() ? "any of no pool" : text;
}

void Show(Console& console, const v1::Assignment& assignment) {
  const v1::AssignmentSpec& spec = assignment.spec();
  console.Fields({
      {"assignment", ShortName(assignment.name())},
      {"version", std::to_string(assignment.version())},
      {"title", Printable(spec.title())},
      {"time allowed", DurationText(spec.duration())},
      {"grace", AllowanceText(spec.grace())},
      {"opens", spec.has_open_time()
                    ? ZoneTimeText(spec.open_time(), spec.time_zone())
                    : ""},
      {"hard close",
       spec.has_hard_close_time()
           ? ZoneTimeText(spec.hard_close_time(), spec.time_zone())
           : ""},
      {"late pushes", LatePolicyText(spec.late_policy())},
      {"force push", spec.allow_force_push() ? "allowed" : "refused"},
      {"tags", spec.allow_tags() ? "allowed" : "refused"},
      {"merges", spec.linear_history() ? "refused" : "allowed"},
      {"subjects", Printable(spec.commit_subject())},
      {"largest push", fmt::format("{} KiB", spec.max_push_bytes() / 1024)},
      {"runs an hour", spec.push_runs_per_hour() == 0
                           ? "no limit"
                           : std::to_string(spec.push_runs_per_hour())},
      {"runs at once", spec.push_runs_at_once() == 0
                           ? "no limit"
                           : std::to_string(spec.push_runs_at_once())},
      {"workers", WorkersText(spec)},
      {"reminders", Reminders(spec)},
      {"retention",
       spec.has_retention() ? DurationText(spec.retention()) : "for ever"},
      {"checks", std::to_string(assignment.check_count())},
      {"points", fmt::format("{:g}", assignment.max_points())},
      {"template", assignment.template_commit().substr(0, 12)},
      {"plan", assignment.plan_digest().substr(0, 12)},
      {"invited", std::to_string(assignment.invitation_count())},
      {"attempts", std::to_string(assignment.attempt_count())},
      {"submitted", std::to_string(assignment.submitted_count())},
      {"changed", TimeText(assignment.update_time())},
  });
}

Outcome Answer(Context& context, const v1::Assignment& assignment) {
  if (context.console().json()) {
    context.console().Json(assignment);
  } else {
    Show(context.console(), assignment);
  }
  return kSuccess;
}

Outcome Create(Context& context, const SourceOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(AssignmentSource source, LoadAssignment(options.dir));
  v1::CreateAssignmentRequest request;
  request.set_assignment_id(options.id.empty() ? source.id : options.id);
  *request.mutable_spec() = std::move(source.spec);
  *request.mutable_template_() = std::move(source.template_tree);
  *request.mutable_suite() = std::move(source.suite);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::CreateAssignment, request));
  return Answer(context, response.assignment());
}

Outcome Update(Context& context, const SourceOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(AssignmentSource source, LoadAssignment(options.dir));
  v1::GetAssignmentRequest get;
  get.set_name(
      FullName("assignments", options.id.empty() ? source.id : options.id));
  ASSAY_ASSIGN_OR_RETURN(const auto current,
                         context.server().Call(&Stub::GetAssignment, get));
  v1::UpdateAssignmentRequest request;
  request.set_name(get.name());
  request.set_expected_version(current.assignment().version());
  *request.mutable_spec() = std::move(source.spec);
  *request.mutable_template_() = std::move(source.template_tree);
  *request.mutable_suite() = std::move(source.suite);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::UpdateAssignment, request));
  return Answer(context, response.assignment());
}

Outcome Get(Context& context, const NameOptions& options) {
  v1::GetAssignmentRequest request;
  request.set_name(FullName("assignments", options.name));
  request.set_version(options.version);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::GetAssignment, request));
  return Answer(context, response.assignment());
}

Outcome List(Context& context, const NoOptions&) {
  v1::ListAssignmentsRequest request;
  v1::ListAssignmentsResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page,
        context.server().Call(&Stub::ListAssignments, request));
    all.mutable_assignments()->MergeFrom(page.assignments());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (context.console().json()) {
    context.console().Json(all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Assignment& item : all.assignments()) {
    rows.push_back({ShortName(item.name()), std::to_string(item.version()),
                    DurationText(item.spec().duration()),
                    fmt::format("{:g}", item.max_points()),
                    fmt::format("{}/{}/{}", item.invitation_count(),
                                item.attempt_count(), item.submitted_count()),
                    Printable(item.spec().title())});
  }
  context.console().Table({"ASSIGNMENT", "VERSION", "TIME", "POINTS",
                           "INVITED/ATTEMPTS/SUBMITTED", "TITLE"},
                          rows);
  return kSuccess;
}

// What is wrong, each with its place; as many as can be found at once.
std::vector<std::string> Problems(const Expected<AssignmentSource>& source,
                                  const std::string& dir) {
  if (!source) return {source.error().message};
  const auto plan =
      CompileSuite(source->suite, std::filesystem::path(dir) / "suite");
  if (!plan) return {plan.error().message};
  std::vector<std::string> problems;
  for (const BriefGap& gap : LintBrief(source->spec))
    problems.push_back(
        fmt::format("{}: brief: {}: {}", dir, gap.what, gap.advice));
  return problems;
}

Outcome Lint(Context& context, const SourceOptions& options) {
  const auto source = LoadAssignment(options.dir);
  const std::vector<std::string> problems = Problems(source, options.dir);
  Console& console = context.console();
  if (console.json()) {
    console.JsonText(
        nlohmann::json({{"ok", problems.empty()}, {"problems", problems}})
            .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return problems.empty() ? kSuccess : kNegative;
  }
  for (const std::string& problem : problems) console.Note(problem);
  if (!problems.empty()) return kNegative;
  console.Line(fmt::format(
      "{}: no problems ({} template files, {} suite files)", options.dir,
      source->template_tree.files_size(), source->suite.files_size()));
  return kSuccess;
}

}  // namespace

void AddAssignmentCommands(CommandLine& line) {
  CLI::App& group = line.Group(line.app(), "assignment",
                               "What candidates are given, and how it is "
                               "graded");
  auto create = line.Add<SourceOptions>(
      group, "create", "Make an assignment from a folder",
      "  assay assignment create docs/examples/orders-api\n"
      "  assay assignment create . --id orders-api-2026 --json",
      Create);
  create.app
      .add_option("dir", create.options->dir, "Folder with an assignment.yaml")
      ->required();
  create.app.add_option("--id", create.options->id,
                        "Name of the assignment [the folder's name]");
  auto update = line.Add<SourceOptions>(
      group, "update", "Make the next version from a folder",
      "  assay assignment update docs/examples/orders-api", Update);
  update.app
      .add_option("dir", update.options->dir, "Folder with an assignment.yaml")
      ->required();
  update.app.add_option("--id", update.options->id,
                        "Name of the assignment [the folder's name]");
  auto show = line.Add<NameOptions>(
      group, "show", "One assignment",
      "  assay assignment show orders-api\n"
      "  assay assignment show orders-api --version 1 --json",
      Get);
  show.app.add_option("name", show.options->name, "Assignment")->required();
  show.app.add_option("--version", show.options->version,
                      "A version [the current one]");
  line.Add<NoOptions>(group, "list", "Every assignment",
                      "  assay assignment list", List);
  auto lint = line.Add<SourceOptions>(
      group, "lint",
      "Say what is wrong with a folder, and what its brief lacks; needs no "
      "server",
      "  assay assignment lint docs/examples/orders-api", Lint);
  lint.app
      .add_option("dir", lint.options->dir, "Folder with an assignment.yaml")
      ->required();
}

}  // namespace assay::cli
