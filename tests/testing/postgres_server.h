#ifndef ASSAY_TESTS_TESTING_POSTGRES_SERVER_H_
#define ASSAY_TESTS_TESTING_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/error.h"

namespace assay::tests {

// A real PostgreSQL of this machine in a temporary directory, on a free port of
// 127.0.0.1, run by an unprivileged user, trusting everybody, with a role and a
// database `app`. Gone with the object.
class PostgresServer {
 public:
  // `settings`: "name=value" of its configuration, after our own.
  static Expected<std::unique_ptr<PostgresServer>> Start(
      const std::vector<std::string>& settings = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;

  std::uint16_t port() const { return port_; }
  // Kills the server's processes in the middle of what they do.
  void Kill();
  // Starts it again on its data and its port, once the killed one has vanished.
  Status Restart();
  // The server's own log so far, with every statement.
  std::string Log() const;

 private:
  PostgresServer() = default;
  void Launch();
  bool WaitUntilReady();

  std::string directory_;
  std::string bin_;
  std::vector<std::string> settings_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// How a child ended and what it wrote to stdout and stderr together.
struct Output {
  int exit_code = -1;
  std::string text;
};
// Runs a program to its end, as the user `uid` where we are root.
Output RunProgram(const std::vector<std::string>& arguments, uid_t uid = 0,
                  gid_t gid = 0);

}  // namespace assay::tests

#endif  // ASSAY_TESTS_TESTING_POSTGRES_SERVER_H_
