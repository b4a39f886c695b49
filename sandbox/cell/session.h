#ifndef ASSAY_SANDBOX_CELL_SESSION_H_
#define ASSAY_SANDBOX_CELL_SESSION_H_

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"
#include "sandbox/cell/termination.h"
#include "sandbox/cell/unique_fd.h"

// The run's side of the sandbox: what `assay-run` does with the session socket
// that the worker made for it (launcher.h).
//
//   Session session(UniqueFd(session_fd));
//   ASSAY_ASSIGN_OR_RETURN(Cell build, session.StartCell(0));
//   ASSAY_ASSIGN_OR_RETURN(Process unpack, build.Start(0));
//   ASSAY_ASSIGN_OR_RETURN(Termination end, unpack.Wait());
//   build.Destroy();
//
//   ASSAY_ASSIGN_OR_RETURN(Cell service, session.StartCell(1));
//   // Held before the service starts, so that it can connect at once.
//   ASSAY_ASSIGN_OR_RETURN(UniqueFd database, service.Listen(5432));
//   ASSAY_ASSIGN_OR_RETURN(Process api, service.Start(0));
//   // api.stdout_fd(), api.stderr_fd(), api.exit_fd() go into the event loop.
//   ASSAY_ASSIGN_OR_RETURN(UniqueFd http, service.Connect(8080));
//
// Calls are one message to the launcher and one back (microseconds; starting a
// cell about a millisecond) and block meanwhile. What takes as long as the
// candidate likes arrives on descriptors: output on pipes, the end of a process
// on its exit_fd. All descriptors are non-blocking and close-on-exec.
namespace assay::sandbox {

class SessionChannel;
enum class CallType : std::uint32_t;

enum class KillReason : std::uint8_t { kRequested, kOutputLimit };

// A process that was started in a cell. Dropping it does not end the process.
//
// Ownership: owns its descriptors; keeps the session's socket alive.
// Threads: one at a time for all of a session.
// Errors: kUnavailable when the launcher or the session is gone.
class Process {
 public:
  Process(std::shared_ptr<SessionChannel> channel, std::uint32_t id,
          UniqueFd stdin_fd, UniqueFd stdout_fd, UniqueFd stderr_fd,
          UniqueFd exit_fd);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  // Read ends (stdin: write end, only with Stdin::kPipe; else -1). Do not wait
  // for end of file once the process has ended: read what is there and stop.
  int stdin_fd() const { return stdin_.get(); }
  int stdout_fd() const { return stdout_.get(); }
  int stderr_fd() const { return stderr_.get(); }
  // Becomes readable when the process has ended; then TakeTermination answers.
  int exit_fd() const { return exit_.get(); }
  // For Session::AdoptProcess.
  std::uint32_t id() const { return id_; }
  // For owners that want them in stream objects.
  UniqueFd TakeStdin() { return std::move(stdin_); }
  UniqueFd TakeStdout() { return std::move(stdout_); }
  UniqueFd TakeStderr() { return std::move(stderr_); }

  // The termination once the process has ended, again at every later call;
  // empty before. A launcher that died reports SetupFault{kLauncherGone}.
  std::optional<Termination> TakeTermination();
  // Blocks until the end, at most `timeout`; output is left unread, so a
  // program that fills its pipes does not end by itself.
  Expected<Termination> Wait(
      std::chrono::milliseconds timeout = std::chrono::hours(24));

  // Kills the process and everything that it started. kOutputLimit makes the
  // termination say OutputLimit. Without effect on a process that has ended.
  Status Kill(KillReason reason = KillReason::kRequested);
  // Sends `signal` to the first process only (SIGTERM for a polite stop).
  Status Signal(int signal);

 private:
  std::shared_ptr<SessionChannel> channel_;
  std::uint32_t id_ = 0;
  UniqueFd stdin_, stdout_, stderr_, exit_;
  std::optional<Termination> termination_;

  friend class Cell;
  friend class Session;
  // The one that was asked for last.
  static Expected<Process> Hear(const std::shared_ptr<SessionChannel>& channel);
};

// Counters of a cell at one moment; 0 where the host cannot tell.
struct CellStats {
  std::chrono::nanoseconds cpu{0};
  std::int64_t memory_bytes = 0;
  std::int64_t memory_peak_bytes = 0;
  std::int32_t pids = 0;
  std::int32_t pids_peak = 0;
  std::int32_t oom_kills = 0;
  // Forks that the pids limit refused.
  std::int32_t pids_refused = 0;
  // What /tmp and /dev/shm hold.
  std::int64_t disk_bytes = 0;
  std::int64_t disk_inodes = 0;
};

// A started cell: namespaces, mounts and limits stand, and nothing runs in it
// until Start. A process that ends (or is killed at a limit) leaves the cell,
// its network with our listeners, its /tmp and mounts as they are, so that it
// can be started again. Dropping the object does not end the cell; the end of
// the session does.
//
// Threads, errors: as for Process; kInvalidArgument for an index that the
// blueprint does not have.
class Cell {
 public:
  Cell(std::shared_ptr<SessionChannel> channel, std::uint32_t id,
       std::uint32_t weaker);

  // Starts `CellSpec::processes[process]`. Succeeds as soon as the process
  // exists; a program that cannot be executed ends with SetupFault{kExec}.
  Expected<Process> Start(std::uint32_t process);

  // A TCP socket bound to `port` (0: any) of 127.0.0.1 or ::1 inside the cell,
  // listening. It stays ours when the cell's processes come and go.
  Expected<UniqueFd> Listen(std::uint16_t port, int family = AF_INET);
  // An unconnected TCP (or `type`) socket inside the cell: for libcurl's
  // CURLOPT_OPENSOCKETFUNCTION, or to connect to any address in there.
  Expected<UniqueFd> OpenSocket(int family = AF_INET, int type = SOCK_STREAM);
  // A socket for which connect() to 127.0.0.1 (::1) `port` was called. It is
  // connected or, when the peer's backlog is full, still connecting (writable
  // when done). kUnavailable: nothing listens there (yet).
  Expected<UniqueFd> Connect(std::uint16_t port, int family = AF_INET);
  // The same over unix sockets with names of the cell's network (abstract ones,
  // "\0name" to a program): they need no path, so that nobody outside follows
  // one that a candidate wrote. 1 to 107 bytes. Read from such a socket with
  // recv: what a peer attaches is dropped.
  //
  // A name that begins with a slash is a path in the cell's /tmp or /dev/shm,
  // without links. To listen makes the socket, which anybody in the cell may
  // use; it stays there. kNotFound: nothing is there; kFailedPrecondition: in
  // another place, or the name is taken.
  Expected<UniqueFd> ListenUnix(std::string_view name);
  Expected<UniqueFd> ConnectUnix(std::string_view name);

  // Stops and resumes every process of the cell; wall limits go on counting.
  // kFailedPrecondition where the host has no cgroup for it.
  Status Freeze();
  Status Thaw();
  Expected<CellStats> Stats();
  // Kills every process of the cell; the cell itself stays.
  Status Kill();
  // Readable (at its end) once no process is left in the cell but those that
  // are started later, also of what programs left behind. What dies has closed
  // its sockets by then.
  Expected<UniqueFd> Emptied();
  // Kills everything, takes the cell down, and returns when nothing of it is
  // left. The object is of no use afterwards.
  Status Destroy();
  // The same without waiting for it.
  Status Discard();

  // Limits of this cell that the host does not let us enforce: a set of
  // Weakness bits (launcher.h).
  std::uint32_t weaker() const { return weaker_; }
  // For Session::Adopt.
  std::uint32_t id() const { return id_; }

 private:
  Expected<UniqueFd> AskForUnix(CallType type, std::string_view path,
                                std::string_view what);

  std::shared_ptr<SessionChannel> channel_;
  std::uint32_t id_ = 0;
  std::uint32_t weaker_ = 0;
};

struct CellWithProcess {
  Cell cell;
  Process process;
};

// The right to build the cells of one session's blueprints. Closing it (or the
// death of its holder) kills all of them and frees the volumes.
//
// Ownership: owns `socket`, shared with the cells and processes it returned.
// Threads: one at a time.
class Session {
 public:
  explicit Session(UniqueFd socket);

  // Builds a cell from `SessionSpec::cells[blueprint]`. The same blueprint may
  // be started many times. A cell that could not be built is an Error that
  // names the step: kFailedPrecondition, or kNotFound for a missing source.
  Expected<Cell> StartCell(std::uint32_t blueprint);
  // The same and Cell::Start, with one wait for both. There is no cell if there
  // is no process.
  Expected<CellWithProcess> StartCellWith(std::uint32_t blueprint,
                                          std::uint32_t process);

  // A session may pass from one process to another, with cells and processes
  // that the former holder has started. Borrowed, for sending:
  int socket() const;
  // What they are to the new one, by the ids that the former one knows.
  Cell Adopt(std::uint32_t cell, std::uint32_t weaker) const;
  Process AdoptProcess(std::uint32_t process, UniqueFd stdout_fd,
                       UniqueFd stderr_fd, UniqueFd exit_fd) const;

 private:
  std::shared_ptr<SessionChannel> channel_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_SESSION_H_
