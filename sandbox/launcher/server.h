#ifndef ASSAY_SANDBOX_LAUNCHER_SERVER_H_
#define ASSAY_SANDBOX_LAUNCHER_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>

#include "sandbox/launcher/host.h"
#include "sandbox/launcher/live_session.h"

namespace assay::sandbox {

// The launcher's service to the worker: makes sessions until the control socket
// closes, then ends them all.
//
// Ownership: owns the control socket, borrows host.
class Server {
 public:
  Server(Host& host, UniqueFd control);
  ~Server();

  // Returns when the worker is gone and nothing of its cells is left.
  void Run();

 private:
  void OnControl(std::uint32_t events);
  void ReceiveCall();
  void CreateSession(std::vector<UniqueFd> fds);
  void SendStats();
  void Refuse(CallType type, int error_number, const std::string& message);
  void Shutdown();

  Host& host_;
  UniqueFd control_;
  EventLoop::Token watch_ = 0;
  bool stopping_ = false;
  std::uint32_t next_cell_id_ = 0;
  std::uint32_t next_session_id_ = 0;
  std::map<std::uint32_t, std::unique_ptr<LiveSession>> sessions_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_SERVER_H_
