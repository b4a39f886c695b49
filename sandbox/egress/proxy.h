#ifndef ASSAY_SANDBOX_EGRESS_PROXY_H_
#define ASSAY_SANDBOX_EGRESS_PROXY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/egress/destination.h"
#include "sandbox/egress/dialler.h"

namespace assay::sandbox {

// One connection of a client to the proxy, when it is over.
struct EgressRecord {
  // Empty where the request did not say.
  std::string host;
  std::uint16_t port = 0;
  // What was connected to, or refused.
  std::string address;
  // The status of our answer: 200 for what was passed on.
  int status = 0;
  // Why it was not passed on, or ended before its ends closed it.
  std::string problem;
  std::int64_t bytes_up = 0;
  std::int64_t bytes_down = 0;
  // Since the epoch.
  std::uint64_t begin_nanos = 0;
  std::uint64_t end_nanos = 0;
};

struct EgressLimits {
  // More at once are reset.
  std::size_t connections = 256;
  std::chrono::milliseconds head{10'000};
  std::chrono::milliseconds dial{20'000};
  // Without a byte in either direction.
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds lifetime{3'600'000};
  // Of one connection, in either direction.
  std::int64_t connection_bytes = std::int64_t{4} << 30;
  // Of all together; when they are used up nothing more is passed on.
  std::int64_t total_bytes = std::int64_t{16} << 30;
};

// The egress wire: an HTTP proxy on a listener inside a cell. CONNECT and plain
// requests reach the destinations of its list and nothing else; what is not
// listed is answered with 403 and never resolved. Parses what the cell sends,
// and needs no rights for that: connections come from a dialler.
//
// Has no thread and no loop: when fd() is readable, call Step.
//
// Ownership: owns everything that it is given. `on_end` is called once for each
// connection that asked for something, from Step or the destructor.
// Threads: one at a time.
class EgressProxy {
 public:
  using OnEnd = std::function<void(const EgressRecord&)>;

  // kInternal, should the kernel refuse an epoll descriptor or a timer.
  static Expected<EgressProxy> Make(UniqueFd listener, Dialler dialler,
                                    std::vector<Destination> destinations,
                                    const EgressLimits& limits, OnEnd on_end);
  EgressProxy(EgressProxy&&) noexcept;
  EgressProxy& operator=(EgressProxy&&) noexcept;
  // Ends what is under way.
  ~EgressProxy();

  int fd() const;
  // Does what can be done without waiting; bounded, so that a caller with other
  // things to do gets to them.
  void Step();
  std::size_t connections() const;

 private:
  class Engine;
  explicit EgressProxy(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_PROXY_H_
