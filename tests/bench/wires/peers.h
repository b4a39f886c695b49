#ifndef ASSAY_TESTS_BENCH_WIRES_PEERS_H_
#define ASSAY_TESTS_BENCH_WIRES_PEERS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace assay::bench {

// A socket connected to a port of 127.0.0.1, blocking, with TCP_NODELAY.
int ConnectTo(std::uint16_t port);
// False when the peer has closed.
bool SendAll(int fd, const char* data, std::size_t size);

// Answers on a thread of its own, over epoll: what `answer` makes of the bytes
// that came. An empty answer is none.
class Responder {
 public:
  using Answer = std::function<std::string(const char*, std::size_t)>;
  explicit Responder(Answer answer);
  ~Responder();
  std::uint16_t port() const { return port_; }

 private:
  void Run();
  Answer answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// A child with its end: killed when this goes.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();
  bool started() const { return pid_ > 0; }

 private:
  pid_t pid_ = -1;
};

// What a program wrote to its standard output.
std::string OutputOf(const std::string& command);

// Of this process, in bytes.
std::int64_t Resident();

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_WIRES_PEERS_H_
