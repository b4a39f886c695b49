#include "sandbox/cell/session.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/protocol.h"

namespace assay::sandbox {

namespace {

constexpr std::string_view kStartCell = "start the cell";
constexpr std::string_view kStartProcess = "start the process";

// An abstract name.
struct UnixName {
  sockaddr_un address = {};
  socklen_t size = 0;

  static Expected<UnixName> Of(std::string_view name) {
    UnixName made;
    if (name.empty() || name.size() >= sizeof(made.address.sun_path)) {
      return InvalidArgument("a unix socket's name has ", name.size(),
                             " bytes, expected 1 to ",
                             sizeof(made.address.sun_path) - 1);
    }
    made.address.sun_family = AF_UNIX;
    std::memcpy(made.address.sun_path + 1, name.data(), name.size());
    made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                       name.size());
    return made;
  }
  const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&address);
  }
};

}  // namespace

// The session's socket, on which calls are answered in turn.
class SessionChannel {
 public:
  explicit SessionChannel(UniqueFd socket) : socket_(std::move(socket)) {}

  struct Answer {
    Reply reply;
    std::vector<UniqueFd> fds;
  };

  // `what` begins the message of an Error: "start the cell".
  Expected<Answer> Ask(const Call& call, std::string_view what) {
    ASSAY_RETURN_IF_ERROR(Tell(call, what));
    return Hear(call.type, what);
  }

  // The answer to the oldest call that has none yet.
  Expected<Answer> Hear(CallType type, std::string_view what) {
    Answer answer;
    ReceiveResult result = ReceiveResult::kNothingYet;
    while ((result = ReceiveRecord(socket_.get(), &answer.reply, sizeof(Reply),
                                   answer.fds, 4)) ==
           ReceiveResult::kNothingYet) {
      pollfd wait = {socket_.get(), POLLIN, 0};
      ::poll(&wait, 1, -1);
    }
    if (result != ReceiveResult::kMessage || answer.reply.type != type) {
      return Unavailable(what, ": the launcher is gone or ended the session");
    }
    if (answer.reply.error_number != 0) return ErrorOf(answer.reply, what);
    return answer;
  }

  // Does not wait for an answer.
  Status Tell(const Call& call, std::string_view what) {
    if (SendRecord(socket_.get(), &call, sizeof(call))) return {};
    return Unavailable(what, ": the launcher is gone");
  }

  int socket() const { return socket_.get(); }

 private:
  static std::unexpected<Error> ErrorOf(Reply& reply, std::string_view what) {
    reply.detail[sizeof(reply.detail) - 1] = '\0';
    const int number = reply.error_number;
    Code code = Code::kFailedPrecondition;
    if (number == EINVAL) code = Code::kInvalidArgument;
    if (number == ENOENT) code = Code::kNotFound;
    if (number == ECONNREFUSED) code = Code::kUnavailable;
    if (number == EMFILE || number == EAGAIN) code = Code::kResourceExhausted;
    std::string text(what);
    const auto step = static_cast<SetupStep>(reply.step);
    if (step != SetupStep::kNone) {
      text += ": " + std::string(SetupStepName(step));
    }
    if (reply.detail[0] != '\0') text += std::string(": ") + reply.detail;
    const char* reason = ::strerrordesc_np(number);
    return Fail(code, text, ": ", reason != nullptr ? reason : "unknown error");
  }

  UniqueFd socket_;
};

namespace {

// A pipe that has no other flag yet.
void SetNonBlocking(const UniqueFd& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

Termination FromRecord(const ExitRecord& record) {
  Termination termination;
  switch (record.ending) {
    case 0:
      termination.ending = Exited{record.value};
      break;
    case 1:
      termination.ending = Signalled{record.value};
      break;
    case 2:
      termination.ending = WallTimeout{};
      break;
    case 3:
      termination.ending = CpuTimeout{};
      break;
    case 4:
      termination.ending = OutOfMemory{};
      break;
    case 5:
      termination.ending = OutputLimit{};
      break;
    default:
      termination.ending =
          SetupFault{static_cast<SetupStep>(record.step), record.value};
  }
  termination.usage.wall = std::chrono::nanoseconds(record.wall_ns);
  termination.usage.cpu_user = std::chrono::nanoseconds(record.cpu_user_ns);
  termination.usage.cpu_system = std::chrono::nanoseconds(record.cpu_system_ns);
  termination.usage.memory_peak_bytes = record.memory_peak_bytes;
  termination.usage.pids_peak = record.pids_peak;
  return termination;
}

}  // namespace

Process::Process(std::shared_ptr<SessionChannel> channel, std::uint32_t id,
                 UniqueFd stdin_fd, UniqueFd stdout_fd, UniqueFd stderr_fd,
                 UniqueFd exit_fd)
    : channel_(std::move(channel)),
      id_(id),
      stdin_(std::move(stdin_fd)),
      stdout_(std::move(stdout_fd)),
      stderr_(std::move(stderr_fd)),
      exit_(std::move(exit_fd)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

std::optional<Termination> Process::TakeTermination() {
  if (termination_) return termination_;
  ExitRecord record;
  const ssize_t n = ::read(exit_.get(), &record, sizeof(record));
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (n == sizeof(record)) {
    termination_ = FromRecord(record);
  } else {
    termination_ = Termination{SetupFault{SetupStep::kLauncherGone, 0}, {}};
  }
  return termination_;
}

Expected<Termination> Process::Wait(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (auto termination = TakeTermination()) return *termination;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return Fail(Code::kDeadlineExceeded, "the process did not end within ",
                  timeout.count(), " ms");
    }
    pollfd wait = {exit_.get(), POLLIN, 0};
    ::poll(&wait, 1,
           static_cast<int>(
               std::min<std::int64_t>(left.count(), std::int64_t{1} << 30)));
  }
}

Status Process::Kill(KillReason reason) {
  const Call call = {.type = CallType::kKillProcess,
                     .process = id_,
                     .argument = static_cast<std::uint32_t>(reason)};
  ASSAY_RETURN_IF_ERROR(channel_->Ask(call, "kill the process"));
  return {};
}

Status Process::Signal(int signal) {
  const Call call = {.type = CallType::kSignalProcess,
                     .process = id_,
                     .argument = static_cast<std::uint32_t>(signal)};
  ASSAY_RETURN_IF_ERROR(channel_->Ask(call, "signal the process"));
  return {};
}

Cell::Cell(std::shared_ptr<SessionChannel> channel, std::uint32_t id,
           std::uint32_t weaker)
    : channel_(std::move(channel)), id_(id), weaker_(weaker) {}

Expected<Process> Cell::Start(std::uint32_t process) {
  ASSAY_RETURN_IF_ERROR(channel_->Tell(
      {.type = CallType::kStartProcess, .cell = id_, .process = process},
      kStartProcess));
  return Process::Hear(channel_);
}

Expected<Process> Process::Hear(
    const std::shared_ptr<SessionChannel>& channel) {
  ASSAY_ASSIGN_OR_RETURN(auto answer,
                         channel->Hear(CallType::kStartProcess, kStartProcess));
  if (answer.fds.size() != 3 && answer.fds.size() != 4) {
    return Internal("start the process: the launcher sent ", answer.fds.size(),
                    " descriptors, expected 3 or 4");
  }
  // The first one is born like that.
  for (const auto& fd : std::span(answer.fds).subspan(1)) SetNonBlocking(fd);
  UniqueFd input =
      answer.fds.size() == 4 ? std::move(answer.fds[3]) : UniqueFd();
  return Process(channel, answer.reply.id, std::move(input),
                 std::move(answer.fds[1]), std::move(answer.fds[2]),
                 std::move(answer.fds[0]));
}

Expected<UniqueFd> Cell::Listen(std::uint16_t port, int family) {
  const Call call = {.type = CallType::kListen,
                     .cell = id_,
                     .argument = port,
                     .family = static_cast<std::uint32_t>(family)};
  ASSAY_ASSIGN_OR_RETURN(
      auto answer,
      channel_->Ask(call,
                    "listen on port " + std::to_string(port) + " in the cell"));
  if (answer.fds.size() != 1) return Internal("listen: no socket came back");
  return std::move(answer.fds[0]);
}

Expected<UniqueFd> Cell::OpenSocket(int family, int type) {
  const Call call = {.type = CallType::kOpenSocket,
                     .cell = id_,
                     .argument = static_cast<std::uint32_t>(type),
                     .family = static_cast<std::uint32_t>(family)};
  ASSAY_ASSIGN_OR_RETURN(auto answer,
                         channel_->Ask(call, "open a socket in the cell"));
  if (answer.fds.size() != 1) return Internal("socket: none came back");
  return std::move(answer.fds[0]);
}

Expected<UniqueFd> Cell::Connect(std::uint16_t port, int family) {
  ASSAY_ASSIGN_OR_RETURN(UniqueFd socket, OpenSocket(family, SOCK_STREAM));
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  const bool six = family == AF_INET6;
  const auto* address = six ? reinterpret_cast<const sockaddr*>(&v6)
                            : reinterpret_cast<const sockaddr*>(&v4);
  if (::connect(socket.get(), address, six ? sizeof(v6) : sizeof(v4)) == 0) {
    return socket;
  }
  int error = errno;
  // On loopback the answer is there when connect returns, though it says
  // otherwise.
  pollfd answer = {socket.get(), POLLOUT, 0};
  if (error == EINPROGRESS && ::poll(&answer, 1, 0) == 1) {
    socklen_t size = sizeof(error);
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0 || error == EINPROGRESS) return socket;
  return Unavailable("nothing answers on port ", port,
                     " in the cell: ", ::strerrordesc_np(error));
}

// By a path; its shape has been looked at.
Expected<UniqueFd> Cell::AskForUnix(CallType type, std::string_view path,
                                    std::string_view what) {
  Call call = {.type = type, .cell = id_};
  std::memcpy(call.path, path.data(), path.size());
  ASSAY_ASSIGN_OR_RETURN(
      auto answer, channel_->Ask(call, std::string(what) + " the unix socket " +
                                           std::string(path) + " in the cell"));
  if (answer.fds.size() != 1) return Internal("unix socket: none came back");
  return std::move(answer.fds[0]);
}

Expected<UniqueFd> Cell::ListenUnix(std::string_view name) {
  ASSAY_ASSIGN_OR_RETURN(const UnixName address, UnixName::Of(name));
  if (name.starts_with('/')) {
    return AskForUnix(CallType::kListenUnix, name, "listen on");
  }
  ASSAY_ASSIGN_OR_RETURN(UniqueFd socket, OpenSocket(AF_UNIX, SOCK_STREAM));
  constexpr int kBacklog = 128;
  if (::bind(socket.get(), address.generic(), address.size) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return FailedPrecondition("cannot listen on the unix socket ", name,
                              " in the cell: ", ::strerrordesc_np(errno));
  }
  return socket;
}

Expected<UniqueFd> Cell::ConnectUnix(std::string_view name) {
  ASSAY_ASSIGN_OR_RETURN(const UnixName address, UnixName::Of(name));
  if (name.starts_with('/')) {
    return AskForUnix(CallType::kConnectUnix, name, "connect to");
  }
  ASSAY_ASSIGN_OR_RETURN(UniqueFd socket, OpenSocket(AF_UNIX, SOCK_STREAM));
  if (::connect(socket.get(), address.generic(), address.size) == 0) {
    return socket;
  }
  return Unavailable("nothing answers on the unix socket ", name,
                     " in the cell: ", ::strerrordesc_np(errno));
}

Status Cell::Freeze() {
  const Call call = {.type = CallType::kFreeze, .cell = id_};
  ASSAY_RETURN_IF_ERROR(channel_->Ask(call, "freeze the cell"));
  return {};
}

Status Cell::Thaw() {
  const Call call = {.type = CallType::kThaw, .cell = id_};
  ASSAY_RETURN_IF_ERROR(channel_->Ask(call, "thaw the cell"));
  return {};
}

Status Cell::Kill() {
  const Call call = {.type = CallType::kKillCell, .cell = id_};
  ASSAY_RETURN_IF_ERROR(channel_->Ask(call, "kill the cell's processes"));
  return {};
}

Expected<UniqueFd> Cell::Emptied() {
  const Call call = {.type = CallType::kWatchEmpty, .cell = id_};
  ASSAY_ASSIGN_OR_RETURN(auto answer,
                         channel_->Ask(call, "wait for the cell's processes"));
  if (answer.fds.size() != 1) return Internal("wait: no descriptor came back");
  return std::move(answer.fds[0]);
}

Status Cell::Destroy() {
  const Call call = {.type = CallType::kDestroyCell, .cell = id_};
  ASSAY_RETURN_IF_ERROR(channel_->Ask(call, "destroy the cell"));
  return {};
}

Status Cell::Discard() {
  return channel_->Tell({.type = CallType::kDiscardCell, .cell = id_},
                        "discard the cell");
}

Expected<CellStats> Cell::Stats() {
  const Call call = {.type = CallType::kCellStats, .cell = id_};
  ASSAY_ASSIGN_OR_RETURN(const auto answer,
                         channel_->Ask(call, "read the cell's counters"));
  const Reply& reply = answer.reply;
  return CellStats{.cpu = std::chrono::nanoseconds(reply.cpu_ns),
                   .memory_bytes = reply.memory_bytes,
                   .memory_peak_bytes = reply.memory_peak_bytes,
                   .pids = reply.pids,
                   .pids_peak = reply.pids_peak,
                   .oom_kills = reply.oom_kills,
                   .pids_refused = reply.pids_refused,
                   .disk_bytes = reply.disk_bytes,
                   .disk_inodes = reply.disk_inodes};
}

Session::Session(UniqueFd socket)
    : channel_(std::make_shared<SessionChannel>(std::move(socket))) {}

Expected<Cell> Session::StartCell(std::uint32_t blueprint) {
  const Call call = {.type = CallType::kStartCell, .cell = blueprint};
  ASSAY_ASSIGN_OR_RETURN(const auto answer, channel_->Ask(call, kStartCell));
  return Cell(channel_, answer.reply.id, answer.reply.weaker);
}

Expected<CellWithProcess> Session::StartCellWith(std::uint32_t blueprint,
                                                 std::uint32_t process) {
  ASSAY_RETURN_IF_ERROR(channel_->Tell(
      {.type = CallType::kStartCell, .cell = blueprint}, kStartCell));
  ASSAY_RETURN_IF_ERROR(channel_->Tell({.type = CallType::kStartProcess,
                                        .cell = kStartedLast,
                                        .process = process},
                                       kStartProcess));
  const auto answer = channel_->Hear(CallType::kStartCell, kStartCell);
  auto started = Process::Hear(channel_);
  // Then there is no process either.
  if (!answer) return std::unexpected(answer.error());
  Cell cell(channel_, answer->reply.id, answer->reply.weaker);
  if (!started) {
    // What it could say is less than what went wrong before.
    const Status told = cell.Discard();
    static_cast<void>(told);
    return std::unexpected(started.error());
  }
  return CellWithProcess{std::move(cell), *std::move(started)};
}

int Session::socket() const { return channel_->socket(); }

Cell Session::Adopt(std::uint32_t cell, std::uint32_t weaker) const {
  return Cell(channel_, cell, weaker);
}

Process Session::AdoptProcess(std::uint32_t process, UniqueFd stdout_fd,
                              UniqueFd stderr_fd, UniqueFd exit_fd) const {
  return Process(channel_, process, UniqueFd(), std::move(stdout_fd),
                 std::move(stderr_fd), std::move(exit_fd));
}

}  // namespace assay::sandbox
