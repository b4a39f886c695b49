#ifndef ASSAY_TESTS_SERVICES_GATEWAY_RAW_HTTP_H_
#define ASSAY_TESTS_SERVICES_GATEWAY_RAW_HTTP_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace assay::testing {

// A TCP client that sends exactly what it is told: hostile requests need one
// that does not know better.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET,
                        .sin_port = htons(static_cast<std::uint16_t>(port)),
                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) !=
        0)
      throw std::runtime_error("cannot connect");
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // False when the server has closed already.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  // Everything until the server closes, or `seconds` have passed.
  std::string ReadAll(int seconds = 10) {
    while (ReadSome(seconds)) {
    }
    return received_;
  }

  // Waits until `text` has come; false when the server closed before.
  bool ReadUntil(std::string_view text, int seconds = 10) {
    while (received_.find(text) == std::string::npos)
      if (!ReadSome(seconds)) return false;
    return true;
  }

  const std::string& received() const { return received_; }
  void Forget() { received_.clear(); }

 private:
  bool ReadSome(int seconds) {
    pollfd poller{.fd = fd_, .events = POLLIN};
    if (poll(&poller, 1, seconds * 1000) <= 0) return false;
    char buffer[16384];
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  std::string received_;
};

// One request on a connection of its own.
inline std::string Exchange(int port, std::string_view request) {
  RawClient client(port);
  client.Send(request);
  return client.ReadAll();
}

inline int StatusOf(std::string_view response) {
  return response.size() < 12
             ? 0
             : std::atoi(std::string(response.substr(9, 3)).c_str());
}

// The body, with its chunks put together.
inline std::string BodyOf(std::string_view response) {
  const std::size_t end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) return "";
  std::string_view rest = response.substr(end + 4);
  if (response.substr(0, end).find("chunked") == std::string_view::npos)
    return std::string(rest);
  std::string body;
  for (;;) {
    const std::size_t line = rest.find("\r\n");
    if (line == std::string_view::npos) return body;
    const std::size_t size =
        std::strtoul(std::string(rest.substr(0, line)).c_str(), nullptr, 16);
    if (size == 0) return body;
    body += rest.substr(line + 2, size);
    rest.remove_prefix(std::min(rest.size(), line + 2 + size + 2));
  }
}

// A POST with a body, on a connection that closes after it.
inline std::string Post(std::string_view path, std::string_view type,
                        std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
         "Content-Type: " +
         std::string(type) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_GATEWAY_RAW_HTTP_H_
