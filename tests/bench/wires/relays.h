#ifndef ASSAY_TESTS_BENCH_WIRES_RELAYS_H_
#define ASSAY_TESTS_BENCH_WIRES_RELAYS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// A listener on a free port of loopback, and the port.
std::pair<UniqueFd, std::uint16_t> ListenAnywhere();
UniqueFd ConnectTo(std::uint16_t port);
bool SendAll(int fd, const char* bytes, std::size_t size);
bool ReceiveAll(int fd, char* bytes, std::size_t size);

// A child of this program; killed at the end.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

 private:
  pid_t pid_;
};

// What a client asks the server for, as its first byte: 'e', everything back;
// 'd' and eight bytes of a number, so many bytes.
pid_t StartServer(UniqueFd listener);
// The egress wire towards `server`.
pid_t StartEgress(UniqueFd listener, std::uint16_t server,
                  const std::string& program);
// haproxy, from `port` to `server`.
pid_t StartHaproxy(std::uint16_t port, std::uint16_t server,
                   const std::string& configuration);

}  // namespace assay::sandbox

#endif  // ASSAY_TESTS_BENCH_WIRES_RELAYS_H_
