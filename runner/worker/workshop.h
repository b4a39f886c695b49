#ifndef ASSAY_RUNNER_WORKER_WORKSHOP_H_
#define ASSAY_RUNNER_WORKER_WORKSHOP_H_

#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/runner/v1/run_input.pb.h"
#include "proto/base/error.h"
#include "runner/materialise/tree_limits.h"
#include "runner/sidecars/handover.h"
#include "sandbox/cell/launcher.h"
#include "sandbox/cell/unique_fd.h"
#include "sandbox/egress/destination.h"
#include "sandbox/egress/dialler_process.h"
#include "sandbox/image/image_cache.h"

namespace assay::worker {

// A commit in a pack file.
struct PackedCommit {
  std::string pack_file;
  std::string commit;
};

// One run to be prepared.
struct RunOrder {
  std::string run;
  std::uint64_t epoch = 0;
  std::string traceparent;
  plan::v1::Plan plan;
  std::uint64_t seed = 0;
  bool public_only = false;
  // Empty: all.
  std::vector<std::string> only_checks;
  // Or a directory of the author's.
  std::variant<PackedCommit, std::string> tree;
  // Instead of a tree, in a run of the author's: a server that is there
  // already, as in RunInput.
  std::string against_url = {};
};

// What assay-run is started with.
struct PreparedRun {
  // A socket to the launcher, good for this run's cells only. Closing the last
  // copy of it ends them.
  sandbox::UniqueFd session;
  // The serialised RunInput in a sealed file.
  sandbox::UniqueFd input;
  // Makes connections for the build; no process where it may reach nothing.
  sandbox::DiallerProcess egress;
  // Of sidecars::HandOver: the plan's sidecars, which run already. Empty where
  // it has none.
  sandbox::UniqueFd sidecars = {};
};

// Why a run could not be prepared.
struct PrepareFailure {
  Error error;
  // The commit's author answers for it: the run ends with this as its result.
  bool commits_fault = false;
};

// Prepares runs. Blocks, so it is called on threads made for that.
//
// Threads: any.
class Workshop {
 public:
  virtual ~Workshop() = default;
  virtual std::expected<PreparedRun, PrepareFailure> Prepare(
      const RunOrder& order) = 0;
  // While nothing runs: makes ready what the next run will want if it is like
  // the last one; and gives that up again.
  virtual void PrepareAhead() {}
  virtual void DropAhead() {}
};

// What a workshop works with.
struct WorkshopPlaces {
  // Temporary files, database templates and unpacked images.
  std::string data_dir;
  // OCI image layouts, by the names that suites use after "oci:".
  std::string image_dir;
  // The programs assay-unpack, assay-image and assay-egress.
  std::string unpack_program;
  std::string image_program;
  std::string egress_program;
  // Whether suites may have builds reach addresses that only this machine and
  // its neighbours do.
  bool allow_private_egress = false;
};

// Prepares runs in cells: commit to tree archive, database templates,
// sidecars, blueprints, session. Sidecars start before all else, so that they
// get ready while the commit is unpacked and built; at most one run's worth of
// them is kept ahead (docs/adr/0190-sidecars-run-ahead.md).
//
// Ownership: owns the launcher, which is used by one thread at a time.
class CellWorkshop final : public Workshop {
 public:
  CellWorkshop(sandbox::Launcher launcher, WorkshopPlaces places);

  std::expected<PreparedRun, PrepareFailure> Prepare(
      const RunOrder& order) override;

  void PrepareAhead() override;
  void DropAhead() override;

  // Readable when the launcher has died; nothing can be prepared after that.
  int launcher_pidfd() const { return launcher_.pidfd(); }

 private:
  Expected<sandbox::UniqueFd> Archive(const RunOrder& order) const;
  Expected<sandbox::ImageRoot> EnsureImage(const plan::v1::Plan& plan);
  using Cells = std::vector<sandbox::CellSpec>;
  Expected<Cells> SidecarCells(const plan::v1::Plan& plan);
  // Those that were kept ahead, if they are what `cells` says; else new ones.
  Expected<sandbox::UniqueFd> TakeSidecars(const Cells& cells);
  Status RefusePrivate(
      const std::vector<sandbox::Destination>& destinations) const;
  Expected<PreparedRun> Assemble(const RunOrder& order, Cells sidecars,
                                 bool sidecars_run, int archive_fd);

  const WorkshopPlaces places_;
  std::mutex mutex_;  // guards the following
  sandbox::Launcher launcher_;
  // Of the last run, and its cells encoded: what is kept ahead stands for.
  Cells last_sidecars_;
  std::string ahead_key_;
  std::optional<sidecars::RunningSidecars> ahead_;
};

// Prepares runs against servers that are there already: without cells, and
// without what it takes to make them.
class UrlWorkshop final : public Workshop {
 public:
  std::expected<PreparedRun, PrepareFailure> Prepare(
      const RunOrder& order) override;
};

// What a commit of this plan may unpack to: no more than its work volume holds.
materialise::TreeLimits TreeLimitsOf(const plan::v1::Plan& plan);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_WORKSHOP_H_
