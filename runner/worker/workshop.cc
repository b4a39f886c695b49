#include "runner/worker/workshop.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "runner/materialise/commit_archive.h"
#include "runner/materialise/directory_archive.h"
#include "runner/materialise/sealed_file.h"
#include "runner/sidecars/blueprints.h"
#include "runner/sidecars/postgres_template.h"
#include "runner/wires/egress_list.h"
#include "runner/worker/secrets.h"
#include "runner/worker/session_draft.h"
#include "sandbox/cell/blueprint.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::worker {
namespace {

using plan::v1::Sidecar;
using sandbox::UniqueFd;

// All that a run is told but for its cells.
runner::v1::RunInput InputOf(
    const RunOrder& order, const std::map<std::string, std::string>& secrets) {
  runner::v1::RunInput input;
  input.set_run(order.run);
  input.set_epoch(order.epoch);
  input.set_traceparent(order.traceparent);
  *input.mutable_plan() = order.plan;
  input.mutable_secrets()->insert(secrets.begin(), secrets.end());
  input.set_seed(order.seed);
  input.set_public_only(order.public_only);
  for (const std::string& check : order.only_checks)
    input.add_only_checks(check);
  input.set_against_url(order.against_url);
  return input;
}

// The same for cells that are the same.
Expected<std::string> KeyOf(const std::vector<sandbox::CellSpec>& cells) {
  ASSAY_ASSIGN_OR_RETURN(
      auto encoded, sandbox::EncodeSession({.volumes = {}, .cells = cells}));
  return std::move(encoded.bytes);
}

}  // namespace

materialise::TreeLimits TreeLimitsOf(const plan::v1::Plan& plan) {
  materialise::TreeLimits limits;
  if (plan.limits().disk_bytes() > 0) {
    limits.total_bytes = plan.limits().disk_bytes();
    limits.file_bytes = std::min(limits.file_bytes, limits.total_bytes);
  }
  if (plan.limits().inodes() > 0) limits.entries = plan.limits().inodes();
  return limits;
}

CellWorkshop::CellWorkshop(sandbox::Launcher launcher, WorkshopPlaces places)
    : places_(std::move(places)), launcher_(std::move(launcher)) {}

Expected<UniqueFd> CellWorkshop::Archive(const RunOrder& order) const {
  const materialise::TreeLimits limits = TreeLimitsOf(order.plan);
  if (const auto* directory = std::get_if<std::string>(&order.tree))
    return materialise::ArchiveDirectory(*directory, limits);
  const auto& packed = std::get<PackedCommit>(order.tree);
  const UniqueFd pack(open(packed.pack_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!pack)
    return Unavailable("the pack ", packed.pack_file,
                       " cannot be opened: ", std::strerror(errno));
  return materialise::ArchiveCommit({.pack_fd = pack.get(),
                                     .commit = packed.commit,
                                     .scratch = places_.data_dir + "/scratch",
                                     .program = places_.unpack_program},
                                    limits);
}

std::expected<PreparedRun, PrepareFailure> CellWorkshop::Prepare(
    const RunOrder& order) {
  // Whose fault a run is depends on the commit first.
  Expected<Cells> cells = SidecarCells(order.plan);
  Expected<UniqueFd> running = UniqueFd();
  if (cells) running = TakeSidecars(*cells);
  Expected<UniqueFd> archive = Archive(order);
  if (!archive)
    return std::unexpected(PrepareFailure{
        .error = archive.error(),
        .commits_fault = materialise::IsCommitsFault(archive.error())});
  if (!cells) return std::unexpected(PrepareFailure{.error = cells.error()});
  if (!running)
    return std::unexpected(PrepareFailure{.error = running.error()});
  const bool sidecars_run = static_cast<bool>(*running);
  Expected<PreparedRun> prepared =
      Assemble(order, *std::move(cells), sidecars_run, archive->get());
  if (!prepared)
    return std::unexpected(PrepareFailure{.error = prepared.error()});
  prepared->sidecars = *std::move(running);
  return *std::move(prepared);
}

Expected<CellWorkshop::Cells> CellWorkshop::SidecarCells(
    const plan::v1::Plan& plan) {
  const std::scoped_lock lock(mutex_);
  Cells cells;
  for (const Sidecar& wanted : plan.sidecars()) {
    if (wanted.kind() == Sidecar::KIND_REDIS) {
      ASSAY_ASSIGN_OR_RETURN(auto cell, sidecars::RedisBlueprint(wanted));
      cells.push_back(std::move(cell));
      continue;
    }
    ASSAY_ASSIGN_OR_RETURN(
        const std::string directory,
        sidecars::EnsurePostgresTemplate(
            launcher_, places_.data_dir + "/templates", plan, wanted));
    ASSAY_ASSIGN_OR_RETURN(auto cell,
                           sidecars::PostgresBlueprint(wanted, directory));
    cells.push_back(std::move(cell));
  }
  return cells;
}

Expected<UniqueFd> CellWorkshop::TakeSidecars(const Cells& cells) {
  ASSAY_ASSIGN_OR_RETURN(const std::string key, KeyOf(cells));
  const std::scoped_lock lock(mutex_);
  // What is for another plan would only be in this run's way.
  auto ahead = std::exchange(ahead_, std::nullopt);
  last_sidecars_ = cells;
  if (ahead && ahead_key_ == key && sidecars::AllRun(*ahead))
    return sidecars::HandOver(*std::move(ahead));
  ahead.reset();
  // A run starts more than that by itself.
  if (cells.empty() || cells.size() > sidecars::kMostHanded) {
    last_sidecars_.clear();
    return UniqueFd();
  }
  ASSAY_ASSIGN_OR_RETURN(auto started,
                         sidecars::StartSidecars(launcher_, cells));
  return sidecars::HandOver(std::move(started));
}

void CellWorkshop::PrepareAhead() {
  const std::scoped_lock lock(mutex_);
  if (ahead_ || last_sidecars_.empty()) return;
  auto key = KeyOf(last_sidecars_);
  auto started = sidecars::StartSidecars(launcher_, last_sidecars_);
  // The next run will say so if it is the same to it.
  if (!key || !started) return;
  ahead_key_ = *std::move(key);
  ahead_ = *std::move(started);
}

void CellWorkshop::DropAhead() {
  const std::scoped_lock lock(mutex_);
  ahead_.reset();
  last_sidecars_.clear();
}

// An image is the worker's: a suite can only choose among those that the
// worker's admin has put there.
Expected<sandbox::ImageRoot> CellWorkshop::EnsureImage(
    const plan::v1::Plan& plan) {
  constexpr std::string_view kImage = "oci:";
  std::string_view image = plan.environment().image();
  if (!image.starts_with(kImage)) return sandbox::ImageRoot{};
  image.remove_prefix(kImage.size());
  sandbox::ImageName name = sandbox::ParseImageName(image);
  if (!sandbox::IsTreePath(name.layout))
    return InvalidArgument("environment.image is \"oci:", image,
                           "\", expected the name of a layout in the worker's "
                           "image directory, without `..`");
  const std::string layout = places_.image_dir + "/" + name.layout;
  if (access(layout.c_str(), F_OK) != 0)
    return NotFound("this worker has no image \"", name.layout,
                    "\"; its admin puts one there with skopeo copy ... oci:",
                    layout, ":TAG");
  name.layout = layout;
  return sandbox::EnsureImageRoot(launcher_,
                                  {.name = std::move(name),
                                   .cache_dir = places_.data_dir + "/images",
                                   .program = places_.image_program});
}

Status CellWorkshop::RefusePrivate(
    const std::vector<sandbox::Destination>& destinations) const {
  if (places_.allow_private_egress) return {};
  for (const auto& destination : destinations) {
    if (!destination.private_addresses) continue;
    return FailedPrecondition(
        "environment.egress asks for the private addresses of ",
        destination.host, ":", destination.port,
        ", which this worker does not give to builds; leave out `private: "
        "true`, or have its admin start it with --allow-private-egress");
  }
  return {};
}

Expected<PreparedRun> CellWorkshop::Assemble(const RunOrder& order,
                                             Cells sidecars, bool sidecars_run,
                                             int archive_fd) {
  const auto secrets = GenerateSecrets(order.plan, order.seed);
  const std::scoped_lock lock(mutex_);
  ASSAY_ASSIGN_OR_RETURN(const sandbox::ImageRoot image,
                         EnsureImage(order.plan));
  ASSAY_ASSIGN_OR_RETURN(const auto destinations,
                         wires::EgressList(order.plan.environment()));
  ASSAY_RETURN_IF_ERROR(RefusePrivate(destinations));
  ASSAY_ASSIGN_OR_RETURN(SessionDraft draft,
                         DraftSession({.plan = order.plan,
                                       .secrets = secrets,
                                       .seed = order.seed,
                                       .archive_fd = archive_fd,
                                       .image = image,
                                       .egress = destinations,
                                       .sidecars = std::move(sidecars),
                                       .sidecars_run = sidecars_run}));
  PreparedRun prepared;
  if (!destinations.empty()) {
    ASSAY_ASSIGN_OR_RETURN(
        prepared.egress,
        sandbox::DiallerProcess::Spawn(places_.egress_program, destinations));
  }
  ASSAY_ASSIGN_OR_RETURN(prepared.session, launcher_.CreateSession(draft.spec));

  runner::v1::RunInput input = InputOf(order, secrets);
  *input.mutable_blueprints() = std::move(draft.blueprints);
  ASSAY_ASSIGN_OR_RETURN(
      prepared.input, materialise::MakeSealedFile("assay-run-input",
                                                  input.SerializeAsString()));
  return prepared;
}

std::expected<PreparedRun, PrepareFailure> UrlWorkshop::Prepare(
    const RunOrder& order) {
  runner::v1::RunInput input =
      InputOf(order, GenerateSecrets(order.plan, order.seed));
  input.mutable_blueprints()->set_build(-1);
  auto sealed =
      materialise::MakeSealedFile("assay-run-input", input.SerializeAsString());
  if (!sealed) return std::unexpected(PrepareFailure{.error = sealed.error()});
  // A session without a launcher: whatever asks it finds it closed.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(
        PrepareFailure{.error = SystemError("socketpair", errno).error()});
  close(ends[1]);
  return PreparedRun{.session = UniqueFd(ends[0]), .input = *std::move(sealed)};
}

}  // namespace assay::worker
