#include "runner/worker/workshop.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runner/materialise/commit_archive.h"
#include "runner/materialise/directory_archive.h"
#include "runner/materialise/sealed_file.h"
#include "runner/sidecars/blueprints.h"
#include "runner/sidecars/postgres_template.h"
#include "runner/worker/secrets.h"
#include "runner/worker/session_draft.h"

namespace assay::worker {
namespace {

using plan::v1::Sidecar;
using sandbox::UniqueFd;

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

CellWorkshop::CellWorkshop(sandbox::Launcher launcher, std::string data_dir,
                           std::string unpack_program)
    : launcher_(std::move(launcher)),
      data_dir_(std::move(data_dir)),
      unpack_program_(std::move(unpack_program)) {}

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
                                     .scratch = data_dir_ + "/scratch",
                                     .program = unpack_program_},
                                    limits);
}

std::expected<PreparedRun, PrepareFailure> CellWorkshop::Prepare(
    const RunOrder& order) {
  Expected<UniqueFd> archive = Archive(order);
  if (!archive)
    return std::unexpected(PrepareFailure{
        .error = archive.error(),
        .commits_fault = materialise::IsCommitsFault(archive.error())});
  Expected<PreparedRun> prepared = Assemble(order, archive->get());
  if (!prepared)
    return std::unexpected(PrepareFailure{.error = prepared.error()});
  return *std::move(prepared);
}

Expected<PreparedRun> CellWorkshop::Assemble(const RunOrder& order,
                                             int archive_fd) {
  const auto secrets = GenerateSecrets(order.plan, order.seed);
  const std::scoped_lock lock(mutex_);
  const auto sidecar =
      [&](const Sidecar& wanted) -> Expected<sandbox::CellSpec> {
    if (wanted.kind() == Sidecar::KIND_REDIS)
      return sidecars::RedisBlueprint(wanted);
    ASSAY_ASSIGN_OR_RETURN(
        const std::string directory,
        sidecars::EnsurePostgresTemplate(launcher_, data_dir_ + "/templates",
                                         order.plan, wanted));
    return sidecars::PostgresBlueprint(wanted, directory);
  };
  ASSAY_ASSIGN_OR_RETURN(SessionDraft draft,
                         DraftSession({.plan = order.plan,
                                       .secrets = secrets,
                                       .seed = order.seed,
                                       .archive_fd = archive_fd,
                                       .sidecar = sidecar}));
  PreparedRun prepared;
  ASSAY_ASSIGN_OR_RETURN(prepared.session, launcher_.CreateSession(draft.spec));

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
  *input.mutable_blueprints() = std::move(draft.blueprints);
  ASSAY_ASSIGN_OR_RETURN(
      prepared.input, materialise::MakeSealedFile("assay-run-input",
                                                  input.SerializeAsString()));
  return prepared;
}

}  // namespace assay::worker
