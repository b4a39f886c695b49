#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "runner/suite/editor_schema.h"
#include "runner/suite/explain.h"
#include "runner/suite/format.h"
#include "runner/suite/rubric.h"
#include "runner/suite/skeleton.h"
#include "runner/suite/verification.h"
#include "services/cli/command_line.h"
#include "services/cli/report_file.h"
#include "services/cli/run_view.h"
#include "services/cli/suite_source.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct LintOptions {
  std::string dir = ".";
  bool strict = false;
};
struct ExplainOptions {
  std::string check;
  std::string dir = ".";
};
struct InitOptions {
  std::string dir = ".";
  std::string from;
  std::string name;
};
struct FormatOptions {
  std::vector<std::string> paths = {"."};
  bool check = false;
};
struct SchemaOptions {
  std::string of = "suite";
};
struct ReferenceOptions {};
struct PackOptions {
  std::string dir = ".";
  std::string out;
  bool candidate = false;
};

double FullScore(const plan::v1::Plan& plan) {
  double points = 0;
  for (const auto& check : plan.checks()) {
    points += check.bonus() ? 0 : suite::FullPoints(check);
  }
  return points;
}

Json DiagnosticsJson(const suite::Diagnostics& diagnostics) {
  Json list = Json::array();
  for (const suite::Diagnostic& one : diagnostics) {
    list.push_back({{"file", one.file},
                    {"line", one.line},
                    {"column", one.column},
                    {"severity", one.warning ? "warning" : "error"},
                    {"message", one.message}});
  }
  return list;
}

void PrintDiagnostics(Console& console, const suite::Diagnostics& found) {
  for (const suite::Diagnostic& one : found) console.Note(one.Text());
}

Outcome Lint(Context& context, const LintOptions& options) {
  Console& console = context.console();
  ASSAY_ASSIGN_OR_RETURN(const Compilation compiled,
                         CompileFolder(options.dir));
  const suite::Diagnostics& found =
      compiled ? compiled->warnings : compiled.error();
  const bool fine = compiled && (found.empty() || !options.strict);
  if (console.json()) {
    Json json = {{"ok", fine}, {"problems", DiagnosticsJson(found)}};
    if (compiled) {
      json["checks"] = compiled->plan.checks_size();
      json["hidden"] = compiled->plan.hidden_check_count();
      json["points"] = FullScore(compiled->plan);
    }
    console.JsonText(json.dump(2));
    return fine ? kSuccess : kNegative;
  }
  PrintDiagnostics(console, found);
  if (!compiled) return kNegative;
  console.Line(fmt::format(
      "{}: {}; {} checks ({} hidden), {} points", options.dir,
      found.empty()       ? "no problems"
      : found.size() == 1 ? "1 warning"
                          : fmt::format("{} warnings", found.size()),
      compiled->plan.checks_size(), compiled->plan.hidden_check_count(),
      PointsText(FullScore(compiled->plan))));
  return fine ? kSuccess : kNegative;
}

Outcome Explain(Context& context, const ExplainOptions& options) {
  Console& console = context.console();
  ASSAY_ASSIGN_OR_RETURN(const plan::v1::Plan plan, LoadPlan(options.dir));
  auto text = suite::ExplainCheck(plan, options.check);
  if (!text) return InvalidArgument(text.error().message);
  if (console.json()) {
    for (const auto& check : plan.checks()) {
      if (check.id() == options.check) console.Json(check);
    }
    return kSuccess;
  }
  while (text->ends_with('\n')) text->pop_back();
  console.Line(*text);
  return kSuccess;
}

Outcome Init(Context& context, const InitOptions& options) {
  Console& console = context.console();
  std::string name = options.name;
  if (name.empty()) {
    name = fs::absolute(options.dir).lexically_normal().filename().string();
  }
  suite::Skeleton skeleton = suite::NewSuite(name.empty() ? "Suite" : name);
  if (!options.from.empty()) {
    ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(options.from));
    auto made = suite::SuiteFromOpenApi(text);
    if (!made) return InvalidArgument(options.from, ": ", made.error().message);
    skeleton = *std::move(made);
  }
  // The first line of assay.yaml names it.
  skeleton.files["assay.schema.json"] = suite::EditorSchema().dump(1) + "\n";
  for (const auto& [path, content] : skeleton.files) {
    const fs::path file = fs::path(options.dir) / path;
    if (fs::exists(file)) {
      return InvalidArgument(file.string(),
                             " is there already; choose another folder");
    }
  }
  Json made = {{"files", Json::array()}, {"notes", skeleton.notes}};
  for (const auto& [path, content] : skeleton.files) {
    const fs::path file = fs::path(options.dir) / path;
    std::error_code failed;
    fs::create_directories(file.parent_path(), failed);
    ASSAY_RETURN_IF_ERROR(WriteWholeFile(file.string(), content));
    made["files"].push_back(file.lexically_normal().string());
    if (!console.json()) console.Line(file.lexically_normal().string());
  }
  if (console.json()) console.JsonText(made.dump(2));
  for (const std::string& note : skeleton.notes) console.Note(note);
  return kSuccess;
}

// assay.yaml of a folder, and what stands beside it in the same form.
std::vector<std::string> FilesToFormat(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const std::string_view name :
       {suite::kSuiteFile, suite::kRubricFile, suite::kVerificationFile}) {
    const fs::path file = fs::path(path) / name;
    if (fs::exists(file)) files.push_back(file.lexically_normal().string());
  }
  if (files.empty()) {
    files.push_back((fs::path(path) / suite::kSuiteFile).string());
  }
  return files;
}

Expected<std::string> Formatted(const std::string& file,
                                const std::string& text) {
  auto formatted = suite::FormatSuite(text);
  if (formatted) return *std::move(formatted);
  for (auto& diagnostic : formatted.error()) diagnostic.file = file;
  return InvalidArgument(suite::ToText(formatted.error()));
}

// Editors give the text and take it back.
Outcome FormatStandardInput(Context& context) {
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  ASSAY_ASSIGN_OR_RETURN(std::string formatted, Formatted("-", text));
  if (formatted.ends_with('\n')) formatted.pop_back();
  context.console().Document(formatted);
  return kSuccess;
}

Outcome Format(Context& context, const FormatOptions& options) {
  if (options.paths == std::vector<std::string>{"-"}) {
    return FormatStandardInput(context);
  }
  Console& console = context.console();
  Json changed = Json::array();
  for (const std::string& path : options.paths) {
    for (const std::string& file : FilesToFormat(path)) {
      ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
      ASSAY_ASSIGN_OR_RETURN(const std::string formatted,
                             Formatted(file, text));
      if (formatted == text) continue;
      changed.push_back(file);
      if (!console.json()) console.Line(file);
      if (options.check) continue;
      ASSAY_RETURN_IF_ERROR(WriteWholeFile(file, formatted));
    }
  }
  if (console.json()) console.JsonText(Json({{"changed", changed}}).dump(2));
  return changed.empty() || !options.check ? kSuccess : kNegative;
}

Outcome Schema(Context& context, const SchemaOptions& options) {
  const Json schema = options.of == "rubric"   ? suite::RubricSchema()
                      : options.of == "verify" ? suite::VerificationSchema()
                                               : suite::EditorSchema();
  context.console().JsonText(schema.dump(1));
  return kSuccess;
}

Outcome Reference(Context& context, const ReferenceOptions&) {
  std::string page = suite::ReferencePage();
  while (page.ends_with('\n')) page.pop_back();
  context.console().Document(page);
  return kSuccess;
}

Outcome Pack(Context& context, const PackOptions& options) {
  Console& console = context.console();
  if (!options.candidate) {
    return InvalidArgument(
        "pack needs --candidate: public checks only, for candidates to run at "
        "home; whoever may see the hidden checks has the suite's folder");
  }
  ASSAY_ASSIGN_OR_RETURN(const plan::v1::Plan plan, LoadPlan(options.dir));
  const plan::v1::Plan candidate = suite::CandidatePlan(plan);
  if (candidate.checks_size() == 0) {
    return InvalidArgument(options.dir, " has no public checks to hand out");
  }
  const std::string pack = PackPlan(candidate);
  if (options.out == "-") {
    console.Document(std::string_view(pack).substr(0, pack.size() - 1));
    return kSuccess;
  }
  ASSAY_RETURN_IF_ERROR(WriteWholeFile(options.out, pack));
  if (console.json()) {
    console.JsonText(Json({{"file", options.out},
                           {"checks", candidate.checks_size()},
                           {"points", FullScore(candidate)}})
                         .dump(2));
    return kSuccess;
  }
  console.Line(
      fmt::format("{}: {} public checks, {} points; run it with:", options.out,
                  candidate.checks_size(), PointsText(FullScore(candidate))));
  console.Line(
      fmt::format("  assay suite run {} --against SOLUTION", options.out));
  return kSuccess;
}

void AddWriting(CommandLine& line, CLI::App& group) {
  auto init = line.Add<InitOptions>(
      group, "init", "Write a first suite, or one from an OpenAPI document",
      "  assay suite init suite\n"
      "  assay suite init suite --from openapi.yaml",
      Init);
  init.app.add_option("dir", init.options->dir, "Folder to put it in");
  init.app.add_option("--from", init.options->from,
                      "OpenAPI 3 document, YAML or JSON: a check for each "
                      "operation");
  init.app.add_option("--name", init.options->name, "Of the suite");
  auto format =
      line.Add<FormatOptions>(group, "fmt", "Put the spaces of suites in order",
                              "  assay suite fmt suite\n"
                              "  assay suite fmt --check suite/assay.yaml\n"
                              "  assay suite fmt - < suite/assay.yaml",
                              Format);
  format.app.add_option("paths", format.options->paths,
                        "Files or folders; - for standard input");
  format.app.add_flag("--check", format.options->check,
                      "Only name what would change; exit code 1 if anything");
  auto schema = line.Add<SchemaOptions>(
      group, "schema", "Print the JSON Schema for editors",
      "  assay suite schema > suite/assay.schema.json\n"
      "  assay suite schema rubric",
      Schema);
  schema.app.add_option("of", schema.options->of, "suite, rubric or verify")
      ->check(CLI::IsMember({"suite", "rubric", "verify"}));
  line.Add<ReferenceOptions>(
      group, "reference", "Print the reference page of the language",
      "  assay suite reference > docs/reference/suite.md", Reference);
}

void AddReading(CommandLine& line, CLI::App& group) {
  const std::string dir = "Folder with an assay.yaml";
  auto lint = line.Add<LintOptions>(
      group, "lint", "Say what is wrong with a suite",
      "  assay suite lint docs/examples/orders-api/suite\n"
      "  assay suite lint --strict --json suite",
      Lint);
  lint.app.alias("check");
  lint.app.add_option("dir", lint.options->dir, dir);
  lint.app.add_flag("--strict", lint.options->strict,
                    "Warnings are errors, too");
  auto explain = line.Add<ExplainOptions>(
      group, "explain", "What a check does, in numbered sentences",
      "  assay suite explain create-order docs/examples/orders-api/suite",
      Explain);
  explain.app.add_option("check", explain.options->check, "Check")->required();
  explain.app.add_option("dir", explain.options->dir, dir);
  auto pack = line.Add<PackOptions>(
      group, "pack", "Write the public checks to a file for candidates",
      "  assay suite pack --candidate suite\n"
      "  assay suite pack --candidate suite --out checks.assay.json",
      Pack);
  pack.options->out = "public-checks.assay.json";
  pack.app.add_option("dir", pack.options->dir, dir);
  pack.app.add_flag("--candidate", pack.options->candidate,
                    "Without anything that only hidden checks use");
  pack.app.add_option("--out,-o", pack.options->out,
                      "File to write [public-checks.assay.json]");
}

}  // namespace

void AddSuiteCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "suite",
                 "Write and try a suite; none of these needs a server");
  AddWriting(line, group);
  AddReading(line, group);
  AddSuiteRunCommand(line, group);
  AddSuiteVerifyCommand(line, group);
}

}  // namespace assay::cli
