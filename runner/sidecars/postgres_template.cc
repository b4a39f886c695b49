#include "runner/sidecars/postgres_template.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "proto/base/digest.h"
#include "proto/base/id.h"
#include "runner/sidecars/postgres_installation.h"
#include "sandbox/cell/session.h"

namespace assay::sidecars {

namespace fs = std::filesystem;
using assay::plan::v1::Plan;
using assay::plan::v1::Sidecar;

namespace {

// What a database that lives for one run needs: no durability against a
// machine that dies, but all of it against a server that is killed. Small WAL
// segments, since the first write to each copies it whole.
constexpr std::string_view kSettings = R"(
listen_addresses = '127.0.0.1'
port = 5432
unix_socket_directories = '/tmp'
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 100
superuser_reserved_connections = 5
shared_buffers = 16MB
dynamic_shared_memory_type = posix
huge_pages = off
max_worker_processes = 0
max_parallel_workers = 0
max_parallel_workers_per_gather = 0
autovacuum = off
jit = off
wal_init_zero = off
wal_recycle = off
logging_collector = off
log_min_messages = warning
log_checkpoints = off
log_timezone = 'UTC'
timezone = 'UTC'
)";

// Services come from 127.0.0.1 through their wire and may be `app` only; the
// runner's own connections come from 127.0.0.2 (wires/dial.h).
constexpr std::string_view kAccess = R"(
local all all trust
host app app 127.0.0.1/32 trust
host all postgres,assay_reader,assay_reset 127.0.0.2/32 trust
)";

// What a reset writes sets off the candidate's own functions (checks, generated
// columns, indexes), so that it is done by a role that may do what `app` may,
// pass over row security and put triggers to sleep, and nothing else. Before 15
// only superusers can do the last.
constexpr std::string_view kRoles = R"(
create role app login password 'app';
create database app owner app;
create role assay_reader login;
grant pg_read_all_data to assay_reader;
create role assay_reset login bypassrls;
grant app to assay_reset;
do $do$ begin
  if current_setting('server_version_num')::int >= 150000 then
    grant set on parameter session_replication_role to assay_reset;
  else
    alter role assay_reset superuser;
  end if;
end $do$;
)";

// Run in a cell, with /data to fill, /seeds to read and $BIN.
constexpr std::string_view kPrepare = R"(set -e
fail() { cat /tmp/log >&2; exit 1; }
"$BIN/initdb" -D /data -U postgres -A trust --no-sync --no-instructions \
  --locale=C.UTF-8 -E UTF8 --wal-segsize=1 > /tmp/log 2>&1 || fail
cat /seeds/settings >> /data/postgresql.conf
cp /seeds/access /data/pg_hba.conf
"$BIN/pg_ctl" -D /data -w -s -l /tmp/log -o "-c listen_addresses=" start || fail
"$BIN/psql" -h /tmp -U postgres -d postgres -qX -v ON_ERROR_STOP=1 \
  -f /seeds/roles
cd /seeds/files
while IFS= read -r file; do
  "$BIN/psql" -h /tmp -U app -d app -qX -v ON_ERROR_STOP=1 -f "$file" > /dev/null
done < /seeds/list
"$BIN/psql" -h /tmp -U postgres -d app -qX -c 'vacuum analyze'
"$BIN/pg_ctl" -D /data -w -s -m fast stop
)";

constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kWords = 2000;

std::string DigestOf(const PostgresInstallation& postgres, const Plan& plan,
                     const Sidecar& sidecar) {
  std::string all = std::to_string(postgres.version);
  for (const std::string_view part : {kSettings, kAccess, kRoles, kPrepare}) {
    all += Sha256Hex(part);
  }
  for (const std::string& seed : sidecar.seeds()) {
    const auto file = plan.files().find(seed);
    all += Sha256Hex(seed);
    all += Sha256Hex(file == plan.files().end() ? "" : file->second);
  }
  return Sha256Hex(all).substr(0, 24);
}

Status CheckCache(const std::string& cache_dir) {
  std::error_code error;
  fs::create_directories(cache_dir, error);
  struct stat found{};
  if (lstat(cache_dir.c_str(), &found) != 0) {
    return SystemError("stat " + cache_dir, errno);
  }
  if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() ||
      (found.st_mode & 022) != 0) {
    return FailedPrecondition(cache_dir,
                              " must be a directory of this user that nobody "
                              "else may write to");
  }
  return {};
}

Status Write(const fs::path& path, std::string_view content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  if (!out) return Internal("cannot write ", path.string());
  return {};
}

// Lays out /seeds.
Status WriteSeeds(const fs::path& directory, const Plan& plan,
                  const Sidecar& sidecar) {
  ASSAY_RETURN_IF_ERROR(Write(directory / "settings", kSettings));
  ASSAY_RETURN_IF_ERROR(Write(directory / "access", kAccess));
  ASSAY_RETURN_IF_ERROR(Write(directory / "roles", kRoles));
  std::error_code error;
  fs::create_directories(directory / "files", error);
  std::string list;
  for (const std::string& seed : sidecar.seeds()) {
    const auto file = plan.files().find(seed);
    const fs::path path(seed);
    if (file == plan.files().end() || path.is_absolute() ||
        path.lexically_normal().string().starts_with("..") ||
        seed.find('\n') != std::string::npos) {
      return InvalidArgument("the plan has no seed file ", seed);
    }
    ASSAY_RETURN_IF_ERROR(Write(directory / "files" / path, file->second));
    list += seed + "\n";
  }
  return Write(directory / "list", list);
}

// Reads both pipes until the process has ended; keeps the last words.
Expected<sandbox::Termination> WaitReading(sandbox::Process& process,
                                           std::string& words) {
  while (true) {
    std::array<pollfd, 3> polled = {
        pollfd{process.exit_fd(), POLLIN, 0},
        pollfd{process.stdout_fd(), POLLIN, 0},
        pollfd{process.stderr_fd(), POLLIN, 0},
    };
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) {
      return SystemError("poll", errno);
    }
    bool read_some = false;
    for (const int fd : {process.stdout_fd(), process.stderr_fd()}) {
      std::array<char, 4096> chunk;
      const ssize_t size = read(fd, chunk.data(), chunk.size());
      if (size <= 0) continue;
      read_some = true;
      words.append(chunk.data(), static_cast<std::size_t>(size));
      if (words.size() > kWords) words.erase(0, words.size() - kWords);
    }
    if (read_some) continue;
    // Pipes that are at their end stay readable: look at the process alone.
    if (auto end = process.TakeTermination()) return *end;
    if (((polled[1].revents | polled[2].revents) & POLLHUP) != 0) {
      return process.Wait(kTimeout);
    }
  }
}

Status Prepare(sandbox::Launcher& launcher,
               const PostgresInstallation& postgres, const fs::path& data,
               const fs::path& seeds) {
  sandbox::CellSpec cell;
  cell.name = "postgres-template";
  sandbox::BindMount data_mount;
  data_mount.source.path = data;
  data_mount.target = "/data";
  data_mount.writable = sandbox::AllowHostWrites{};
  sandbox::BindMount seeds_mount;
  seeds_mount.source.path = seeds;
  seeds_mount.target = "/seeds";
  cell.mounts = {data_mount, seeds_mount};
  cell.limits.memory_bytes = 1 << 30;
  sandbox::ProcessSpec process;
  process.name = "prepare";
  process.arguments = {"/bin/sh", "-c", std::string(kPrepare)};
  process.environment = {"BIN=" + postgres.bin, "LC_ALL=C.UTF-8", "TZ=UTC",
                         "PGOPTIONS=-c client_min_messages=warning"};
  process.wall_limit = kTimeout;
  cell.processes.push_back(process);

  sandbox::SessionSpec spec;
  spec.cells.push_back(cell);
  ASSAY_ASSIGN_OR_RETURN(sandbox::UniqueFd fd, launcher.CreateSession(spec));
  sandbox::Session session(std::move(fd));
  ASSAY_ASSIGN_OR_RETURN(auto live, session.StartCellWith(0, 0));
  std::string words;
  ASSAY_ASSIGN_OR_RETURN(const sandbox::Termination end,
                         WaitReading(live.process, words));
  ASSAY_RETURN_IF_ERROR(live.cell.Destroy());
  if (!end.Succeeded()) {
    return InvalidArgument("the database could not be prepared (",
                           sandbox::Describe(end.ending), "): ", words);
  }
  return {};
}

}  // namespace

Expected<std::string> EnsurePostgresTemplate(sandbox::Launcher& launcher,
                                             const std::string& cache_dir,
                                             const Plan& plan,
                                             const Sidecar& sidecar) {
  ASSAY_ASSIGN_OR_RETURN(const PostgresInstallation postgres,
                         FindPostgres(sidecar.version()));
  ASSAY_RETURN_IF_ERROR(CheckCache(cache_dir));
  const fs::path ready =
      fs::path(cache_dir) / ("postgres-" + std::to_string(postgres.version) +
                             "-" + DigestOf(postgres, plan, sidecar));
  std::error_code error;
  if (fs::exists(ready, error)) return ready.string();

  // Made aside and moved into place: another worker may be at it as well, and
  // a half-made one must never be found.
  const fs::path scratch = fs::path(cache_dir) / ("new-" + RandomToken(12));
  const fs::path data = scratch / "data";
  fs::create_directories(data, error);
  chmod(scratch.c_str(), 0700);
  chmod(data.c_str(), 0700);
  Status done = WriteSeeds(scratch / "seeds", plan, sidecar);
  if (done) done = Prepare(launcher, postgres, data, scratch / "seeds");
  if (done) {
    fs::rename(data, ready, error);
    if (error && !fs::exists(ready)) {
      done = Internal("cannot move the template to ", ready.string(), ": ",
                      error.message());
    }
  }
  fs::remove_all(scratch, error);
  ASSAY_RETURN_IF_ERROR(std::move(done));
  return ready.string();
}

}  // namespace assay::sidecars
