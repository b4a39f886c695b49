#include "sandbox/main/run_command.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "sandbox/cell/launcher.h"
#include "sandbox/egress/dialler_process.h"
#include "sandbox/egress/proxy.h"
#include "sandbox/image/image_cache.h"
#include "sandbox/launcher/fork_launcher.h"

namespace assay::sandbox {
namespace {

constexpr std::size_t kChunk = std::size_t{64} * 1024;

// One of the command's output streams on its way to ours.
class OutputRelay {
 public:
  OutputRelay(UniqueFd from, int to, std::int64_t cap)
      : from_(std::move(from)), to_(to), cap_(cap) {}

  int fd() const { return from_.get(); }
  bool over() const { return result_.truncated; }
  const StreamResult& result() const { return result_; }

  // Passes on what is there. An error of our own output ends the passing on,
  // but not the reading: the command shall not notice, unless the reader went.
  void Pump() {
    char buffer[kChunk];
    while (from_ && !over()) {
      const ssize_t n = ::read(from_.get(), buffer, sizeof(buffer));
      if (n < 0) return;
      if (n == 0) return from_.Reset();
      Take(buffer, n);
    }
  }

 private:
  void Take(const char* bytes, ssize_t size) {
    if (cap_ > 0 && result_.bytes + size > cap_) {
      size = static_cast<ssize_t>(cap_ - result_.bytes);
      result_.truncated = true;
      result_.bytes = cap_;
    } else {
      result_.bytes += size;
    }
    while (size > 0 && !broken_) {
      const ssize_t n = ::write(to_, bytes, static_cast<std::size_t>(size));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) {
        pollfd room = {to_, POLLOUT, 0};
        ::poll(&room, 1, -1);
        continue;
      }
      if (n < 0) {
        if (errno == EPIPE) {
          from_.Reset();
        } else {
          result_.write_error = errno;
        }
        broken_ = true;
        return;
      }
      bytes += n;
      size -= n;
    }
  }

  UniqueFd from_;
  int to_;
  std::int64_t cap_;
  bool broken_ = false;
  StreamResult result_;
};

// Our input on its way to the command, as fast as the command takes it.
class InputRelay {
 public:
  InputRelay(int from, UniqueFd to) : from_(from), to_(std::move(to)) {}

  pollfd Interest() const {
    if (!to_) return {-1, 0, 0};
    if (begin_ < end_) return {to_.get(), POLLOUT, 0};
    return {from_, POLLIN, 0};
  }
  void Pump() {
    if (begin_ == end_) {
      const ssize_t n = ::read(from_, buffer_, sizeof(buffer_));
      if (n <= 0) return to_.Reset();
      begin_ = 0;
      end_ = static_cast<std::size_t>(n);
    }
    const ssize_t n = ::write(to_.get(), buffer_ + begin_, end_ - begin_);
    if (n > 0) begin_ += static_cast<std::size_t>(n);
    if (n < 0 && errno != EAGAIN && errno != EINTR) to_.Reset();
  }

 private:
  int from_;
  UniqueFd to_;
  char buffer_[kChunk];
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

Expected<UniqueFd> OpenStream(const std::string& path, int flags, int own) {
  if (path.empty()) return UniqueFd(::fcntl(own, F_DUPFD_CLOEXEC, 3));
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!fd) return SystemError("open '" + path + "'", errno);
  return fd;
}

Expected<Streams> OpenStreams(const RunOptions& options) {
  constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
  Streams streams;
  ASSAY_ASSIGN_OR_RETURN(
      streams.in, OpenStream(options.stdin_path, O_RDONLY, STDIN_FILENO));
  ASSAY_ASSIGN_OR_RETURN(
      streams.out, OpenStream(options.stdout_path, kCreate, STDOUT_FILENO));
  ASSAY_ASSIGN_OR_RETURN(
      streams.err, OpenStream(options.stderr_path, kCreate, STDERR_FILENO));
  return streams;
}

}  // namespace

void CountCutOutput(RunResult& result) {
  Ending& ending = result.termination.ending;
  const bool by_itself = std::holds_alternative<Exited>(ending) ||
                         std::holds_alternative<Signalled>(ending);
  if (by_itself && (result.out.truncated || result.err.truncated)) {
    ending = OutputLimit{};
  }
}

Status RefuseWeaker(std::uint32_t weaker, std::uint32_t allowed) {
  const std::uint32_t refused = weaker & kLimitWeaknesses & ~allowed;
  if (refused == 0) return {};
  std::string names;
  for (std::uint32_t bit = 1; bit <= kAllWeaknesses; bit <<= 1) {
    if ((refused & bit) == 0) continue;
    names += names.empty() ? "" : ",";
    names += WeaknessName(static_cast<Weakness>(bit));
  }
  return FailedPrecondition(
      "this host does not enforce ", DescribeWeaknesses(refused)[0],
      "; accept with --allow-weaker ", names, ", or see assay-sandbox check");
}

namespace {

// The path of a program that is installed beside this one.
std::string Sibling(const std::string& name) {
  char self[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof(self));
  const std::string path(self,
                         length > 0 ? static_cast<std::size_t>(length) : 0);
  return path.substr(0, path.rfind('/') + 1) + name;
}

// What the command reaches the outside by, if it may.
struct Egress {
  DiallerProcess process;
  std::optional<EgressProxy> proxy;

  int fd() const { return proxy ? proxy->fd() : -1; }
};

// Listens inside the cell before anything runs there.
Status LayEgress(const RunOptions& options, Cell& cell, RunResult& result,
                 Egress& egress) {
  if (options.egress.empty()) return {};
  ASSAY_ASSIGN_OR_RETURN(UniqueFd listener, cell.Listen(kProxyPort));
  ASSAY_ASSIGN_OR_RETURN(
      egress.process,
      DiallerProcess::Spawn(Sibling("assay-egress"), options.egress));
  const auto on_end = [&result](const EgressRecord& record) {
    ++result.egress_connections;
    if (result.egress.size() < RunResult::kMostConnections) {
      result.egress.push_back(record);
    }
  };
  ASSAY_ASSIGN_OR_RETURN(
      egress.proxy, EgressProxy::Make(std::move(listener),
                                      Dialler(egress.process.TakeSocket()),
                                      options.egress, EgressLimits{}, on_end));
  return {};
}

void RelayUntilTheEnd(Process& process, const Streams& streams,
                      std::int64_t cap, Egress& egress, RunResult& result) {
  OutputRelay out(process.TakeStdout(), streams.out.get(), cap);
  OutputRelay err(process.TakeStderr(), streams.err.get(), cap);
  InputRelay in(streams.in.get(), process.TakeStdin());
  bool killed = false;
  std::optional<Termination> end;
  while (!end) {
    pollfd fds[] = {{process.exit_fd(), POLLIN, 0},
                    {out.over() ? -1 : out.fd(), POLLIN, 0},
                    {err.over() ? -1 : err.fd(), POLLIN, 0},
                    in.Interest(),
                    {egress.fd(), POLLIN, 0}};
    ::poll(fds, 5, -1);
    if (fds[4].revents != 0) egress.proxy->Step();
    if (fds[3].revents != 0) in.Pump();
    // The end is looked at first: what came before it is in the pipes.
    end = process.TakeTermination();
    out.Pump();
    err.Pump();
    if ((out.over() || err.over()) && !std::exchange(killed, true)) {
      // One that has ended meanwhile needs none.
      const Status told = process.Kill(KillReason::kOutputLimit);
      static_cast<void>(told);
    }
  }
  result.termination = *end;
  result.out = out.result();
  result.err = err.result();
  CountCutOutput(result);
}

// Where an ordinary user keeps what can be made again.
std::string CacheDirectory(const RunOptions& options) {
  if (!options.cache_dir.empty()) return options.cache_dir;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  const std::string cache = variable("XDG_CACHE_HOME");
  const std::string home = variable("HOME");
  if (!cache.empty()) return cache + "/assay/images";
  if (!home.empty()) return home + "/.cache/assay/images";
  // One name in a sticky directory: what lies above the cache belongs to nobody
  // who could put another in its place.
  return "/tmp/assay-images-" + std::to_string(::geteuid());
}

// The cell as it will be built: an image, if there is one, as a directory.
Expected<CellSpec> Settle(const RunOptions& options, Launcher& launcher) {
  CellSpec cell = options.cell;
  auto& environment = cell.processes[0].environment;
  if (options.image) {
    ASSAY_ASSIGN_OR_RETURN(
        const ImageRoot image,
        EnsureImageRoot(launcher, {.name = *options.image,
                                   .cache_dir = CacheDirectory(options),
                                   .program = Sibling("assay-image")}));
    cell.root = DirectoryRoot{image.directory};
    AddMissingVariables(environment, image.environment);
  }
  AddMissingVariables(environment, DefaultVariables());
  if (!options.egress.empty()) {
    AddMissingVariables(environment, ProxyVariables(options.egress));
  }
  return cell;
}

}  // namespace

Expected<RunResult> RunCommand(const RunOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(Streams streams, OpenStreams(options));
  if (!options.image && options.egress.empty()) {
    CellSpec cell = options.cell;
    AddMissingVariables(cell.processes[0].environment, DefaultVariables());
    return RunAlone(options, cell, std::move(streams));
  }
  ASSAY_ASSIGN_OR_RETURN(
      Launcher launcher,
      ForkLauncher({.io = options.cell.limits.io_bytes_per_second > 0}));
  SessionSpec spec;
  spec.cells.emplace_back();
  ASSAY_ASSIGN_OR_RETURN(spec.cells[0], Settle(options, launcher));
  ASSAY_ASSIGN_OR_RETURN(UniqueFd socket, launcher.CreateSession(spec));
  Session session(std::move(socket));
  ASSAY_ASSIGN_OR_RETURN(Cell cell, session.StartCell(0));
  ASSAY_RETURN_IF_ERROR(RefuseWeaker(cell.weaker(), options.allowed_weaker));
  RunResult result;
  Egress egress;
  ASSAY_RETURN_IF_ERROR(LayEgress(options, cell, result, egress));
  ASSAY_ASSIGN_OR_RETURN(Process process, cell.Start(0));
  result.weaker = cell.weaker();
  RelayUntilTheEnd(process, streams, options.output_bytes, egress, result);
  // What is still open is told as well.
  egress.proxy.reset();
  if (auto stats = cell.Stats()) result.stats = *stats;
  return result;
}

int ExitStatus(const Ending& ending) {
  constexpr int kOutput = 122;
  constexpr int kMemory = 123;
  constexpr int kTime = 124;
  constexpr int kFault = 125;
  constexpr int kNotExecutable = 126;
  constexpr int kNotFound = 127;
  if (const auto* exited = std::get_if<Exited>(&ending)) return exited->code;
  if (const auto* killed = std::get_if<Signalled>(&ending)) {
    return 128 + killed->signal;
  }
  if (std::holds_alternative<OutOfMemory>(ending)) return kMemory;
  if (std::holds_alternative<OutputLimit>(ending)) return kOutput;
  const auto* fault = std::get_if<SetupFault>(&ending);
  if (fault == nullptr) return kTime;
  if (fault->step != SetupStep::kExec) return kFault;
  return fault->error_number == ENOENT ? kNotFound : kNotExecutable;
}

}  // namespace assay::sandbox
