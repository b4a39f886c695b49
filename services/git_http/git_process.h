#ifndef ASSAY_SERVICES_GIT_HTTP_GIT_PROCESS_H_
#define ASSAY_SERVICES_GIT_HTTP_GIT_PROCESS_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proto/base/error.h"

namespace assay::git_http {

// What one git program is to do. It reads a candidate's bytes, so nothing of
// its configuration comes from the repository's side of the world: no hooks,
// no host configuration, fixed options.
struct GitCommand {
  // "receive-pack", "--stateless-rpc".
  std::vector<std::string> arguments;
  std::filesystem::path repository;
  // Whether it is run in the repository, or told of it as its last argument.
  bool in_repository = false;
  // "key=value" of git's configuration, beside the fixed ones.
  std::vector<std::string> config;
  // The value of GIT_PROTOCOL; empty: version 0.
  std::string protocol;
  // Read from its beginning; -1: nothing to read.
  int input = -1;
  // Whether a hook of it may ask a question; see pre_receive_hook.h.
  bool asks = false;
  std::int64_t max_file_bytes = std::int64_t{1} << 30;
  std::int64_t max_memory_bytes = std::int64_t{2} << 30;
  int max_cpu_seconds = 120;
  std::chrono::seconds time_limit{300};
};

// A running git program with its output on a pipe. Killed with everything that
// it started when this is destroyed, when the time is over, and when this
// program dies.
//
// Threads: confined to the strand it was started on.
class GitProcess {
 public:
  static Expected<std::unique_ptr<GitProcess>> Start(
      boost::asio::any_io_executor strand, const GitCommand& command);
  ~GitProcess();

  // Some of its output; 0 at the end.
  boost::asio::awaitable<Expected<std::size_t>> ReadSome(
      std::span<char> buffer);
  // The line that its hook asks with; empty when it ended without asking.
  boost::asio::awaitable<std::string> ReadQuestion();
  void Answer(bool go);
  // Kills it with everything that it started. Wait and ReadQuestion then end.
  void Kill();
  // Waits for its end. kInternal when it did not exit with 0: the message has
  // the last line that it complained with.
  boost::asio::awaitable<Status> Wait();

 private:
  struct State;
  explicit GitProcess(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_GIT_PROCESS_H_
