#include "tests/testing/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace assay::tests {
namespace {

namespace fs = std::filesystem;

pid_t StartProgram(const std::vector<std::string>& arguments, int output,
                   uid_t uid, gid_t gid) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (uid != 0 && geteuid() == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
      _exit(126);
    }
  }
  execvp(argv[0], argv.data());
  _exit(127);
}

std::string FindBin() {
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql")) {
    if (fs::exists(entry.path() / "bin/initdb")) return entry.path() / "bin";
  }
  return "";
}

std::uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

Output RunProgram(const std::vector<std::string>& arguments, uid_t uid,
                  gid_t gid) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const pid_t pid = StartProgram(arguments, ends[1], uid, gid);
  close(ends[1]);
  Output output;
  std::array<char, 4096> chunk;
  ssize_t size = 0;
  while ((size = read(ends[0], chunk.data(), chunk.size())) > 0) {
    output.text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  output.exit_code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

Expected<std::unique_ptr<PostgresServer>> PostgresServer::Start(
    const std::vector<std::string>& settings) {
  const std::string bin = FindBin();
  if (bin.empty()) return NotFound("no PostgreSQL is installed");
  const passwd* user = getpwnam("postgres");
  if (user == nullptr) return NotFound("no user postgres");
  const uid_t uid = user->pw_uid;
  const gid_t gid = user->pw_gid;

  std::unique_ptr<PostgresServer> server(new PostgresServer);
  server->bin_ = bin;
  server->uid_ = uid;
  server->gid_ = gid;
  server->directory_ =
      (fs::temp_directory_path() / "assay-postgres-XXXXXX").string();
  if (mkdtemp(server->directory_.data()) == nullptr) {
    return SystemError("mkdtemp", errno);
  }
  if (geteuid() == 0 && chown(server->directory_.c_str(), uid, gid) != 0) {
    return SystemError("chown", errno);
  }
  const std::string data = server->directory_ + "/data";
  const Output made = RunProgram(
      {bin + "/initdb", "--no-sync", "-A", "trust", "-U", "postgres",
       "--no-instructions", "--locale=C.UTF-8", "-E", "UTF8", "-D", data},
      uid, gid);
  if (made.exit_code != 0) return Internal("initdb: ", made.text);

  // initdb lets in 127.0.0.1 only; the runner's own connections are others.
  std::ofstream(data + "/pg_hba.conf", std::ios::app)
      << "host all all 127.0.0.0/8 trust\n";

  server->port_ = FreePort();
  server->settings_ = settings;
  server->Launch();
  if (!server->WaitUntilReady())
    return Internal("PostgreSQL did not start: ", server->Log());
  const std::vector<std::string> psql = {
      "psql", "-h",       "127.0.0.1", "-p", std::to_string(server->port_),
      "-U",   "postgres", "-qc"};
  for (const std::string sql :
       {"create role app login", "create database app owner app"}) {
    std::vector<std::string> command = psql;
    command.push_back(sql);
    const Output done = RunProgram(command);
    if (done.exit_code != 0) return Internal(sql, ": ", done.text);
  }
  return server;
}

void PostgresServer::Launch() {
  const int log = open((directory_ + "/log").c_str(),
                       O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  std::vector<std::string> program = {bin_ + "/postgres",
                                      "-D",
                                      directory_ + "/data",
                                      "-p",
                                      std::to_string(port_),
                                      "-h",
                                      "127.0.0.1",
                                      "-k",
                                      directory_,
                                      "-c",
                                      "fsync=off",
                                      "-c",
                                      "log_statement=all",
                                      "-c",
                                      "log_line_prefix="};
  for (const std::string& setting : settings_) {
    program.insert(program.end(), {"-c", setting});
  }
  pid_ = StartProgram(program, log, uid_, gid_);
  close(log);
}

// pg_isready waits in the kernel between tries of its own.
bool PostgresServer::WaitUntilReady() {
  for (int i = 0; i < 1'000; ++i) {
    if (RunProgram({bin_ + "/pg_isready", "-q", "-h", "127.0.0.1", "-p",
                    std::to_string(port_)})
            .exit_code == 0)
      return true;
    usleep(10'000);
  }
  return false;
}

void PostgresServer::Kill() {
  // Its backends would go on, even commit, until they notice that it is gone.
  std::vector<int> backends;
  const std::string pid = std::to_string(pid_);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;)
    if (const long fd = syscall(SYS_pidfd_open, child, 0); fd >= 0)
      backends.push_back(static_cast<int>(fd));
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  for (const int backend : backends) {
    syscall(SYS_pidfd_send_signal, backend, SIGKILL, nullptr, 0);
    pollfd ended{.fd = backend, .events = POLLIN, .revents = 0};
    poll(&ended, 1, -1);
    close(backend);
  }
}

Status PostgresServer::Restart() {
  // A backend that was started while it was killed ends when it notices; the
  // new server refuses to start while its shared memory is in use.
  for (int i = 0; i < 100; ++i) {
    Launch();
    if (WaitUntilReady() && waitpid(pid_, nullptr, WNOHANG) == 0) return {};
    Kill();
  }
  return Internal("PostgreSQL did not start again: ", Log());
}

PostgresServer::~PostgresServer() {
  if (pid_ > 0) {
    kill(pid_, SIGQUIT);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::string PostgresServer::Log() const {
  std::ifstream in(directory_ + "/log");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace assay::tests
