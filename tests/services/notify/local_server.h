#ifndef ASSAY_TESTS_SERVICES_NOTIFY_LOCAL_SERVER_H_
#define ASSAY_TESTS_SERVICES_NOTIFY_LOCAL_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace assay::testing {

// A server on a loopback port that the kernel chooses, with a thread of its
// own. `serve` talks to one connection after the other.
class LocalServer {
 public:
  using Serve = std::function<void(int connection)>;

  explicit LocalServer(Serve serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, plain, size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, plain, &size) != 0)
      throw std::runtime_error("cannot listen on loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~LocalServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  std::string Url(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }

 private:
  void Run() {
    for (;;) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      serve_(connection);
      close(connection);
    }
  }

  Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

// Lines of a connection, and answers.
class Talk {
 public:
  explicit Talk(int connection) : connection_(connection) {}

  // Without its end; empty at the end of the stream.
  std::string Line() {
    while (pending_.find('\n') == std::string::npos && More()) {
    }
    const auto end = pending_.find('\n');
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end == std::string::npos ? pending_.size() : end + 1);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }
  std::string Bytes(std::size_t count) {
    while (pending_.size() < count && More()) {
    }
    std::string bytes = pending_.substr(0, count);
    pending_.erase(0, bytes.size());
    return bytes;
  }
  void Say(const std::string& text) {
    (void)!write(connection_, text.data(), text.size());
  }
  bool ended() const { return ended_ && pending_.empty(); }

 private:
  bool More() {
    char buffer[4096];
    const ssize_t count = read(connection_, buffer, sizeof(buffer));
    if (count <= 0) {
      ended_ = true;
      return false;
    }
    pending_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int connection_;
  std::string pending_;
  bool ended_ = false;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_NOTIFY_LOCAL_SERVER_H_
