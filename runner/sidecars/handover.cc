#include "runner/sidecars/handover.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "runner/run/blueprint_layout.h"
#include "sandbox/cell/message_socket.h"

namespace assay::sidecars {
namespace {

// Both ends come from one build. The descriptors beside it are the session's,
// then output, errors and end of each server.
struct Record {
  std::uint32_t count = 0;
  struct Part {
    std::uint32_t cell = 0;
    std::uint32_t weaker = 0;
    std::uint32_t process = 0;
  } parts[kMostHanded];
};

constexpr std::size_t kFdsOfEach = 3;

}  // namespace

Expected<RunningSidecars> StartSidecars(sandbox::Launcher& launcher,
                                        std::vector<sandbox::CellSpec> cells) {
  sandbox::SessionSpec spec;
  spec.cells = std::move(cells);
  ASSAY_ASSIGN_OR_RETURN(sandbox::UniqueFd socket,
                         launcher.CreateSession(spec));
  RunningSidecars running{.session = sandbox::Session(std::move(socket)),
                          .all = {}};
  for (std::uint32_t i = 0; i < spec.cells.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(sandbox::Cell cell, running.session.StartCell(i));
    ASSAY_ASSIGN_OR_RETURN(sandbox::Process server,
                           cell.Start(run::kSidecarProcess));
    running.all.push_back({std::move(cell), std::move(server)});
  }
  return running;
}

bool AllRun(RunningSidecars& sidecars) {
  for (RunningSidecar& sidecar : sidecars.all) {
    if (sidecar.server.TakeTermination()) return false;
  }
  return true;
}

Expected<sandbox::UniqueFd> HandOver(RunningSidecars sidecars) {
  Record record;
  std::vector<int> fds = {sidecars.session.socket()};
  for (const RunningSidecar& sidecar : sidecars.all) {
    if (record.count == kMostHanded) {
      return Internal("more than ", kMostHanded, " sidecars are handed over");
    }
    record.parts[record.count++] = {.cell = sidecar.cell.id(),
                                    .weaker = sidecar.cell.weaker(),
                                    .process = sidecar.server.id()};
    fds.insert(fds.end(),
               {sidecar.server.stdout_fd(), sidecar.server.stderr_fd(),
                sidecar.server.exit_fd()});
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return SystemError("socketpair", errno);
  }
  const sandbox::UniqueFd ours(ends[0]);
  sandbox::UniqueFd theirs(ends[1]);
  if (!sandbox::SendRecord(ours.get(), &record, sizeof record, fds)) {
    return SystemError("hand sidecars over", errno);
  }
  return theirs;
}

Expected<RunningSidecars> TakeOver(sandbox::UniqueFd socket) {
  Record record;
  std::vector<sandbox::UniqueFd> fds;
  const auto result = sandbox::ReceiveRecord(
      socket.get(), &record, sizeof record, fds, 1 + kFdsOfEach * kMostHanded);
  if (result != sandbox::ReceiveResult::kMessage ||
      record.count > kMostHanded ||
      fds.size() != 1 + kFdsOfEach * record.count) {
    return Internal("the descriptor for sidecars holds something else");
  }
  RunningSidecars running{.session = sandbox::Session(std::move(fds[0])),
                          .all = {}};
  for (std::uint32_t i = 0; i < record.count; ++i) {
    sandbox::UniqueFd* const own = &fds[1 + kFdsOfEach * i];
    running.all.push_back(
        {running.session.Adopt(record.parts[i].cell, record.parts[i].weaker),
         running.session.AdoptProcess(record.parts[i].process,
                                      std::move(own[0]), std::move(own[1]),
                                      std::move(own[2]))});
  }
  return running;
}

}  // namespace assay::sidecars
