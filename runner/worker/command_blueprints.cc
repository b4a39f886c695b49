#include "runner/worker/command_blueprints.h"

#include <map>
#include <set>
#include <utility>

#include "runner/materialise/sealed_file.h"
#include "runner/run/blueprint_layout.h"
#include "runner/worker/blueprint_parts.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::worker {
namespace {

using plan::v1::CommandStep;
using plan::v1::LoadStep;
using plan::v1::MutantsStep;
using plan::v1::Plan;
using plan::v1::Service;
using plan::v1::Step;
using sandbox::CellSpec;
using sandbox::ProcessSpec;
using sandbox::UniqueFd;

constexpr std::string_view kRepository = "/repository";
constexpr std::string_view kVariants = "/variants";
constexpr std::chrono::seconds kCollectLimit{10};

// Writes the files that match $PATTERN to standard output. Each is copied
// first, so that its size is that of what follows whatever happens to the
// original meanwhile. Links and special files are not reports.
constexpr std::string_view kCollect = R"sh(
IFS=
left=1000
for file in $PATTERN; do
  [ -f "$file" ] && [ ! -L "$file" ] || continue
  [ $left -gt 0 ] || break
  left=$((left - 1))
  head -c 33554433 -- "$file" > /tmp/assay-report || exit 1
  printf '%s\0%s\0' "$(wc -c < /tmp/assay-report)" "$file"
  cat /tmp/assay-report
done
rm -f /tmp/assay-report
)sh";

// Copies the contents of folders, each over the one before.
constexpr std::string_view kCopy =
    "for folder; do cp -a \"$folder/.\" /work/ || exit 1; done";

// The steps that have cells, by index.
std::map<int, const Step*> StepsWithCells(const Plan& plan) {
  std::map<int, const Step*> found;
  const auto look = [&](const auto& steps) {
    for (const Step& step : steps) {
      if (step.has_command()) found[step.command().index()] = &step;
      if (step.has_mutants()) found[step.mutants().index()] = &step;
      if (step.has_load() && step.load().has_calibration()) {
        found[step.load().calibration().index()] = &step;
      }
    }
  };
  for (const auto& check : plan.checks()) look(check.steps());
  for (const auto& [name, flow] : plan.flows()) look(flow.steps());
  return found;
}

// The plan's files of these names and below these folders. What begins as a
// program does is one, whatever its mode: suites are copied about.
Expected<UniqueFd> Archive(const Plan& plan,
                           const std::vector<std::string>& paths) {
  ASSAY_ASSIGN_OR_RETURN(UniqueFd fd,
                         materialise::MakeMemoryFile("assay-suite-files"));
  sandbox::TreeArchiveWriter writer(fd.get());
  // The map's order is random, and archives should not be.
  std::map<std::string, const std::string*> chosen;
  const std::set<std::string> programs(plan.programs().begin(),
                                       plan.programs().end());
  for (const auto& [name, bytes] : plan.files()) {
    for (const std::string& path : paths) {
      if (name == path || (path.ends_with('/') && name.starts_with(path)))
        chosen[name] = &bytes;
    }
  }
  for (const auto& [name, bytes] : chosen) {
    const bool program = programs.contains(name) || bytes->starts_with("#!") ||
                         bytes->starts_with(
                             "\x7f"
                             "ELF");
    ASSAY_RETURN_IF_ERROR(writer.AddFile(name, *bytes, program));
  }
  ASSAY_RETURN_IF_ERROR(writer.Finish());
  ASSAY_RETURN_IF_ERROR(materialise::Seal(fd.get()));
  return fd;
}

ProcessSpec Unpack(int archive_fd, std::string_view directory) {
  return {.name = "unpack",
          .wall_limit = kUnpackLimit,
          .unpack = sandbox::UnpackAction{.archive_fd = archive_fd,
                                          .directory = std::string(directory)}};
}

ProcessSpec Copy(std::vector<std::string> folders) {
  ProcessSpec process{.name = "copy",
                      .arguments = {"/bin/sh", "-c", std::string(kCopy), "sh"},
                      .wall_limit = kUnpackLimit};
  for (std::string& folder : folders)
    process.arguments.push_back(std::move(folder));
  return process;
}

ProcessSpec Collect(const std::string& pattern, const std::string& directory) {
  return {.name = "collect",
          .arguments = {"/bin/sh", "-c", std::string(kCollect)},
          .environment = {"LANG=C", "PATTERN=" + pattern},
          .working_directory = directory,
          .wall_limit = kCollectLimit};
}

// Command and collector of a cell.
Status AddCommand(const DraftInput& input, const plan::v1::Command& command,
                  const std::string& reports, CellSpec& cell) {
  static const Service kNone;
  const Service& service =
      input.plan.services_size() > 0 ? input.plan.services(0) : kNone;
  ASSAY_ASSIGN_OR_RETURN(
      ProcessSpec process,
      CommandProcess("command", command, CommandScope(input, service),
                     input.image.environment));
  if (service.port() > 0) {
    // The command's own lines come after, and win.
    process.environment.insert(
        process.environment.begin(),
        "SERVICE_URL=http://127.0.0.1:" + std::to_string(service.port()));
  }
  const std::string directory = process.working_directory;
  cell.processes.push_back(std::move(process));
  cell.processes.push_back(Collect(reports, directory));
  return {};
}

CellSpec CommandCell(const DraftInput& input, const std::string& name) {
  CellSpec cell = CandidateCell(name, input);
  cell.mounts = {WorkSizedTmpfs(input.plan.limits(), std::string(kWork))};
  return cell;
}

sandbox::VolumeMount Repository() {
  return {.volume = kWorkVolume,
          .target = std::string(kRepository),
          .read_only = true};
}

class CommandDraft {
 public:
  CommandDraft(const DraftInput& input, SessionDraft& draft)
      : input_(input), draft_(draft) {}

  Expected<int> Add(const CommandStep& step) {
    CellSpec cell = step.in_repository() ? CandidateCell("command", input_)
                                         : CommandCell(input_, "command");
    ASSAY_RETURN_IF_ERROR(
        AddCommand(input_, step.command(), step.import_path(), cell));
    if (!step.in_repository()) {
      ASSAY_ASSIGN_OR_RETURN(const int fd,
                             Keep({step.files().begin(), step.files().end()}));
      cell.processes.push_back(Unpack(fd, kWork));
      if (step.with_repository()) cell.mounts.emplace_back(Repository());
    }
    return AddCell(std::move(cell));
  }

  Expected<int> Add(const MutantsStep& step) {
    std::vector<std::string> variants;
    for (const auto& variant : step.variants())
      variants.push_back(variant.folder());
    ASSAY_RETURN_IF_ERROR(
        AddVariants(step.index(), step.reference(), variants));
    CellSpec cell = CommandCell(input_, "mutants");
    cell.mounts.emplace_back(Repository());
    ASSAY_RETURN_IF_ERROR(
        AddCommand(input_, step.command(), step.import_path(), cell));
    cell.processes.push_back(Copy({std::string(kRepository)}));
    return AddCell(std::move(cell));
  }

  // The reference alone; the runner itself sends the load.
  Expected<int> Add(const LoadStep::Calibration& calibration) {
    ASSAY_RETURN_IF_ERROR(
        AddVariants(calibration.index(), calibration.reference(), {}));
    return -1;
  }

 private:
  Status AddVariants(int index, const std::string& reference,
                     const std::vector<std::string>& variants) {
    std::vector<std::string> folders = {reference};
    folders.insert(folders.end(), variants.begin(), variants.end());
    ASSAY_ASSIGN_OR_RETURN(const int fd, Keep(folders));
    auto& cells = (*draft_.blueprints.mutable_mutants())[index];
    const auto in = [](const std::string& folder) {
      return std::string(kVariants) + "/" + folder;
    };
    for (const Service& service : input_.plan.services()) {
      CellSpec cell = CommandCell(input_, "variant:" + service.name());
      cell.mounts.emplace_back(
          WorkSizedTmpfs(input_.plan.limits(), std::string(kVariants)));
      ASSAY_ASSIGN_OR_RETURN(ProcessSpec start,
                             CommandProcess("start", service.start(),
                                            CommandScope(input_, service),
                                            input_.image.environment));
      cell.processes.push_back(std::move(start));
      cell.processes.push_back(Unpack(fd, kVariants));
      // Each cell has a tree of its own, and what is built for all may stand
      // with any of the services.
      for (const Service& built : input_.plan.services()) {
        if (!built.has_build()) continue;
        ASSAY_ASSIGN_OR_RETURN(
            ProcessSpec build,
            BuildProcess(input_, built, input_.image.environment));
        cell.processes.push_back(std::move(build));
      }
      cell.processes.push_back(Copy({in(reference)}));
      for (const std::string& variant : variants)
        cell.processes.push_back(Copy({in(reference), in(variant)}));
      cells.add_services(AddCell(std::move(cell)));
    }
    return {};
  }

  // Steps that take the same files share one archive: a session holds a
  // limited number of descriptors.
  Expected<int> Keep(const std::vector<std::string>& paths) {
    const auto known = kept_.find(paths);
    if (known != kept_.end()) return known->second;
    ASSAY_ASSIGN_OR_RETURN(UniqueFd fd, Archive(input_.plan, paths));
    draft_.archives.push_back(std::move(fd));
    return kept_[paths] = draft_.archives.back().get();
  }

  int AddCell(CellSpec cell) {
    draft_.spec.cells.push_back(std::move(cell));
    return static_cast<int>(draft_.spec.cells.size()) - 1;
  }

  const DraftInput& input_;
  SessionDraft& draft_;
  std::map<std::vector<std::string>, int> kept_;
};

}  // namespace

Status DraftCommands(const DraftInput& input, SessionDraft& draft) {
  CommandDraft commands(input, draft);
  for (const auto& [index, step] : StepsWithCells(input.plan)) {
    ASSAY_ASSIGN_OR_RETURN(const int cell,
                           step->has_command() ? commands.Add(step->command())
                           : step->has_mutants()
                               ? commands.Add(step->mutants())
                               : commands.Add(step->load().calibration()));
    while (draft.blueprints.commands_size() <= index)
      draft.blueprints.add_commands(-1);
    draft.blueprints.set_commands(index, cell);
  }
  return {};
}

}  // namespace assay::worker
