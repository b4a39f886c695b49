#include "tests/testing/s3_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tests/testing/postgres_server.h"

namespace assay::tests {
namespace {

namespace fs = std::filesystem;

std::string Folder() {
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  return std::string(source ? source : ".") + "/tests/testing/s3";
}

// Once for a checkout, however many tests begin together.
Status InstallPackages() {
  const std::string folder = Folder();
  const int lock =
      open((folder + "/package.json").c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return Internal("cannot read ", folder);
  flock(lock, LOCK_EX);
  Status status;
  if (!fs::exists(folder + "/node_modules/@20minutes/s3rver/package.json")) {
    const Output installed = RunProgram(
        {"npm", "ci", "--prefix", folder, "--no-audit", "--no-fund"});
    if (installed.exit_code != 0) status = Internal(installed.text);
  }
  close(lock);
  return status;
}

std::string Curl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"curl", "-sS", "--noproxy", "*", "--max-time", "10"});
  return RunProgram(arguments).text;
}

}  // namespace

Expected<std::unique_ptr<S3Server>> S3Server::Start() {
  ASSAY_RETURN_IF_ERROR(InstallPackages());
  std::unique_ptr<S3Server> server(new S3Server());
  ASSAY_RETURN_IF_ERROR(server->Launch());
  return server;
}

S3Server::~S3Server() { Stop(); }

Status S3Server::Launch() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Internal("no pipe");
  const std::string script = Folder() + "/server.js";
  const std::string port = std::to_string(port_);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    execlp("node", "node", script.c_str(), directory_.path().c_str(),
           "eu-test-1", port.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::string line;
  for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
  close(ends[0]);
  if (!line.starts_with("ready "))
    return Internal("the S3 server did not start: ", line);
  port_ = std::stoi(line.substr(6));
  return {};
}

void S3Server::Stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Status S3Server::Restart() {
  Stop();
  return Launch();
}

std::string S3Server::endpoint() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

std::string S3Server::FileOf(const std::string& key) const {
  return (directory_.path() / "blobs" / (key + "._S3rver_object")).string();
}

int S3Server::UnfinishedUploads() const {
  const fs::path uploads = directory_.path() / "blobs" / "._S3rver_uploads";
  std::error_code error;
  return static_cast<int>(std::distance(fs::directory_iterator(uploads, error),
                                        fs::directory_iterator()));
}

void S3Server::Break(const std::string& fault) const {
  Curl({"-X", "PUT", "-d", fault, endpoint() + "/-/fault"});
}

void S3Server::Heal() const { Break("{}"); }

std::string S3Server::TakeLog() const { return Curl({endpoint() + "/-/log"}); }

}  // namespace assay::tests
