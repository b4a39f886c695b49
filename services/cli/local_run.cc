#include "services/cli/local_run.h"

#include <fcntl.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "runner/suite/local_url.h"
#include "runner/suite/nearest.h"
#include "services/cli/child.h"
#include "services/cli/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kMostComplaint = 8192;

// A file in memory that a child opens as /proc/self/fd/N.
int MemoryFile(const char* name) { return memfd_create(name, 0); }

std::string PathOf(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool IsUrl(const std::string& solution) {
  return solution.starts_with("http://") || solution.starts_with("https://");
}

std::string Complaint(int fd) {
  std::string text(kMostComplaint, '\0');
  const off_t size = lseek(fd, 0, SEEK_END);
  const off_t from =
      std::max<off_t>(0, size - static_cast<off_t>(kMostComplaint));
  const ssize_t got = pread(fd, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return Printable(text, Lines::kMany);
}

std::vector<std::string> CommandFor(const LocalRun& run, int plan_fd) {
  std::vector<std::string> command = {run.program, "--local", "--plan",
                                      PathOf(plan_fd)};
  command.insert(
      command.end(),
      {IsUrl(run.solution) ? "--against-url" : "--tree", run.solution});
  for (const std::string& check : run.only_checks) {
    command.insert(command.end(), {"--check", check});
  }
  if (run.public_only) command.push_back("--public-only");
  return command;
}

// Reads events to the end of the stream; true when the last one came.
bool ReadEvents(int fd,
                const std::function<void(const v1::RunEvent&)>& on_event) {
  google::protobuf::io::FileInputStream in(fd);
  bool finished = false;
  bool clean_end = false;
  v1::RunEvent event;
  while (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&event, &in,
                                                                  &clean_end)) {
    finished |= event.has_finished();
    on_event(event);
    event.Clear();
  }
  return finished;
}

}  // namespace

Status CheckSelection(const LocalRun& run) {
  if (IsUrl(run.solution)) {
    ASSAY_RETURN_IF_ERROR(suite::PortOfUrl(run.solution));
  } else if (!std::filesystem::is_directory(run.solution)) {
    return InvalidArgument(run.solution,
                           " is not a folder; expected the solution to grade, "
                           "or the URL of a server like http://localhost:3000");
  }
  std::vector<std::string> ids;
  for (const auto& check : run.plan.checks()) ids.push_back(check.id());
  for (const std::string& wanted : run.only_checks) {
    if (std::find(ids.begin(), ids.end(), wanted) != ids.end()) continue;
    return InvalidArgument("no check \"", wanted, "\"",
                           suite::DidYouMean(wanted, ids),
                           "; there are: ", suite::JoinNames(ids));
  }
  return {};
}

Status Execute(const LocalRun& run,
               const std::function<void(const v1::RunEvent&)>& on_event) {
  const int plan_fd = MemoryFile("plan");
  const int complaint_fd = MemoryFile("complaint");
  int out[2];
  if (plan_fd < 0 || complaint_fd < 0 || pipe2(out, O_CLOEXEC) != 0) {
    return SystemError("open a file in memory", errno);
  }
  run.plan.SerializeToFileDescriptor(plan_fd);
  const auto pid = Start({.command = CommandFor(run, plan_fd),
                          .environment = {},
                          .output = out[1],
                          .error = complaint_fd});
  close(out[1]);
  close(plan_fd);
  bool finished = false;
  int exit_code = 0;
  if (pid) {
    // Ctrl-C reaches the worker, which cleans up and ends; so do we, then.
    const auto before = signal(SIGINT, SIG_IGN);
    finished = ReadEvents(out[0], on_event);
    exit_code = Wait(*pid);
    signal(SIGINT, before);
  }
  close(out[0]);
  const std::string complaint = Complaint(complaint_fd);
  close(complaint_fd);
  if (!pid) return std::unexpected(pid.error());
  if (finished) return {};
  return Internal("assay-runner ended with exit code ", exit_code,
                  " before the run was over; it said:\n", complaint);
}

}  // namespace assay::cli
