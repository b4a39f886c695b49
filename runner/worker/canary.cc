#include "runner/worker/canary.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "runner/suite/compiler.h"
#include "runner/worker/event_parser.h"
#include "runner/worker/local_run.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::worker {
namespace {

// A tree is unpacked, a shell runs, the volume takes writes, and the network is
// the cell's own. Nothing but what every Debian has.
constexpr char kSuite[] = R"(version: 1
name: canary
limits: { run: 120s, check: 60s, memory: 64MiB, cpus: 1 }
checks:
  - id: cell
    title: A cell works
    visibility: hidden
    points: 0
    steps:
      - command: "test -f canary && echo sings > song && grep -q sings song"
)";

Expected<std::vector<v1::RunEvent>> ReadEvents(int fd) {
  if (lseek(fd, 0, SEEK_SET) != 0) return SystemError("rewind events", errno);
  EventParser parser;
  std::vector<v1::RunEvent> events;
  std::array<char, 16'384> buffer{};
  for (;;) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0) return SystemError("read events", errno);
    if (count == 0) return events;
    ASSAY_ASSIGN_OR_RETURN(
        auto more,
        parser.Feed({buffer.data(), static_cast<std::size_t>(count)}));
    for (v1::RunEvent& event : more) events.push_back(std::move(event));
  }
}

// What the events say against cells; empty: nothing.
std::string Complaint(const std::vector<v1::RunEvent>& events) {
  if (events.empty() || !events.back().has_finished())
    return "the run did not end";
  const auto& finished = events.back().finished();
  if (finished.outcome() != v1::Run::OUTCOME_COMPLETED)
    return finished.reason().empty() ? v1::Run::Outcome_Name(finished.outcome())
                                     : finished.reason();
  for (const v1::RunEvent& event : events) {
    if (!event.has_check_finished()) continue;
    const v1::CheckResult& result = event.check_finished().result();
    if (result.verdict() == v1::VERDICT_PASSED) return {};
    return "a command in a cell could not write and read a file";
  }
  return "the run said nothing about its check";
}

Expected<std::string> Try(Workshop& workshop, const std::string& run_program,
                          const std::string& tree) {
  auto compiled = suite::Compile({{"assay.yaml", kSuite}});
  if (!compiled) return Internal("the canary's suite does not compile");
  RunOrder order{.run = "canary", .epoch = 1, .seed = 1, .tree = tree};
  order.plan = std::move(compiled->plan);
  const sandbox::UniqueFd events(memfd_create("canary", MFD_CLOEXEC));
  if (events.get() < 0) return SystemError("make a file in memory", errno);
  ASSAY_RETURN_IF_ERROR(RunLocally(workshop, run_program, order, events.get()));
  ASSAY_ASSIGN_OR_RETURN(const auto read, ReadEvents(events.get()));
  return Complaint(read);
}

}  // namespace

std::string RunCanary(Workshop& workshop, const std::string& run_program,
                      const std::string& data_dir) {
  std::string tree = data_dir + "/canary-XXXXXX";
  if (mkdtemp(tree.data()) == nullptr)
    return SystemError("make a directory in " + data_dir, errno)
        .error()
        .message;
  std::error_code failed;
  std::string complaint;
  const sandbox::UniqueFd file(
      open((tree + "/canary").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  if (file.get() < 0)
    complaint = SystemError("write to " + data_dir, errno).error().message;
  if (complaint.empty()) {
    const auto tried = Try(workshop, run_program, tree);
    complaint = tried ? *tried : tried.error().message;
  }
  std::filesystem::remove_all(tree, failed);
  return complaint;
}

}  // namespace assay::worker
