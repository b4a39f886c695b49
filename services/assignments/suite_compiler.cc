#include "services/assignments/suite_compiler.h"

#include <utility>

#include "runner/suite/compiler.h"
#include "runner/suite/verification.h"
#include "services/scoring/score.h"

namespace assay::assignments {
namespace {

struct SuiteFiles {
  suite::Files files;
  // Paths of those that may be run.
  std::set<std::string> programs;
};

Expected<SuiteFiles> FilesOf(const v1::FileTree& tree) {
  SuiteFiles read;
  for (const v1::FileTree::File& file : tree.files()) {
    // A symbolic link could only lead out of the suite or back into it.
    if (file.mode() == 0120000)
      return InvalidArgument("suite: ", file.path(),
                             " is a symbolic link; put the file itself there");
    read.files.emplace(file.path(), file.content());
    if (file.mode() == 0100755) read.programs.insert(file.path());
  }
  return read;
}

void Add(const suite::Diagnostics& found, v1::CheckSuiteResponse& response) {
  for (const suite::Diagnostic& one : found) {
    v1::CheckSuiteResponse::Problem& problem = *response.add_problems();
    problem.set_file(one.file);
    problem.set_line(one.line);
    problem.set_column(one.column);
    problem.set_message(one.message);
    problem.set_warning(one.warning);
  }
}

}  // namespace

v1::CheckSuiteResponse CheckWithRunnerSuite(const v1::FileTree& tree) {
  v1::CheckSuiteResponse response;
  const auto read = FilesOf(tree);
  if (!read) {
    response.add_problems()->set_message(read.error().message);
    return response;
  }
  const auto compiled = suite::Compile(read->files, read->programs);
  Add(compiled ? compiled->warnings : compiled.error(), response);
  if (!compiled) return response;
  for (const plan::v1::Check& one : compiled->plan.checks()) {
    v1::CheckSuiteResponse::Check& check = *response.add_checks();
    check.set_id(one.id());
    check.set_title(one.title());
    check.set_points(suite::FullPoints(one));
    check.set_hidden(one.hidden());
    check.set_bonus(one.bonus());
  }
  response.set_max_points(
      scoring::Compute(compiled->plan, {}, scoring::Scope::kAll).max());
  return response;
}

Expected<CompiledSuite> CompileWithRunnerSuite(const v1::FileTree& tree) {
  ASSAY_ASSIGN_OR_RETURN(const SuiteFiles read, FilesOf(tree));
  auto compiled = suite::Compile(read.files, read.programs);
  if (!compiled) return InvalidArgument(suite::ToText(compiled.error()));
  CompiledSuite result;
  result.bytes = suite::SerializePlan(compiled->plan);
  result.plan = std::move(compiled->plan);
  return result;
}

}  // namespace assay::assignments
