#ifndef ASSAY_TESTS_RUNNER_STEPS_SCRIPTED_SERVER_H_
#define ASSAY_TESTS_RUNNER_STEPS_SCRIPTED_SERVER_H_

#include <sys/socket.h>
#include <unistd.h>

#include <fcntl.h>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runner/wires/network.h"

namespace assay::tests {

// A server on a free port that answers each request by calling a function with
// the request's bytes up to the blank line and the connection to write to.
class ScriptedServer {
 public:
  // Returns false to close the connection.
  using Answer = std::function<bool(const std::string& request, int fd)>;

  explicit ScriptedServer(Answer answer) : answer_(std::move(answer)) {
    auto listening = wires::HostNetwork().Listen(0);
    listener_ = listening->Release();
    port_ = wires::PortOf(listener_);
    fcntl(listener_, F_SETFL, 0);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

  static bool Write(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

 private:
  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { Serve(fd); });
    }
  }
  void Serve(int fd) {
    std::string request;
    char chunk[4096];
    ssize_t size = 0;
    while ((size = recv(fd, chunk, sizeof chunk, 0)) > 0) {
      request.append(chunk, static_cast<std::size_t>(size));
      if (request.find("\r\n\r\n") == std::string::npos) continue;
      if (!answer_(std::exchange(request, {}), fd)) break;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    close(fd);
  }

  Answer answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
};

}  // namespace assay::tests

#endif  // ASSAY_TESTS_RUNNER_STEPS_SCRIPTED_SERVER_H_
