#include "sandbox/launcher/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "proto/base/fault_point.h"
#include "sandbox/cell/blueprint.h"
#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/protocol.h"

namespace assay::sandbox {
namespace {

constexpr std::size_t kMaxSessions = 256;
constexpr std::chrono::seconds kPatience{5};

// The blueprints: a memfd that nobody can change any more.
Expected<std::string> ReadSealed(int fd) {
  constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat info;
  if (seals < 0 || (seals & kNeeded) != kNeeded || ::fstat(fd, &info) != 0) {
    return InvalidArgument("the blueprints are not in a sealed memfd");
  }
  if (info.st_size > kMaxBlueprintBytes) {
    return InvalidArgument("the blueprints are larger than ",
                           kMaxBlueprintBytes, " bytes");
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), 0);
  if (n != static_cast<ssize_t>(bytes.size())) {
    return InvalidArgument("the blueprints cannot be read");
  }
  return bytes;
}

std::int64_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long size = 0;
  long resident = 0;
  const int fields = std::fscanf(file, "%ld %ld", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * ::sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace

Server::Server(Host& host, UniqueFd control)
    : host_(host), control_(std::move(control)) {
  ::fcntl(control_.get(), F_SETFL, O_NONBLOCK);
  watch_ =
      host_.loop.Watch(control_.get(), EPOLLIN,
                       [this](std::uint32_t events) { OnControl(events); });
}

Server::~Server() { host_.loop.Unwatch(watch_); }

void Server::Run() {
  while (!stopping_ || !sessions_.empty()) host_.loop.RunOnce();
}

void Server::OnControl(std::uint32_t events) {
  if ((events & EPOLLIN) != 0) return ReceiveCall();
  Shutdown();
}

void Server::ReceiveCall() {
  Call call;
  std::vector<UniqueFd> fds;
  switch (
      ReceiveRecord(control_.get(), &call, sizeof(call), fds, kMaxSessionFds)) {
    case ReceiveResult::kNothingYet:
      return;
    case ReceiveResult::kClosed:
    case ReceiveResult::kMalformed:
      return Shutdown();
    case ReceiveResult::kMessage:
      break;
  }
  if (call.type == CallType::kCreateSession) {
    return CreateSession(std::move(fds));
  }
  if (call.type == CallType::kLauncherStats) return SendStats();
  if (call.type != CallType::kHello) return Shutdown();
  const Reply reply = {.type = call.type, .weaker = host_.weaker};
  if (!SendRecord(control_.get(), &reply, sizeof(reply))) Shutdown();
}

void Server::CreateSession(std::vector<UniqueFd> fds) {
  constexpr auto kType = CallType::kCreateSession;
  if (fds.empty()) return Refuse(kType, EINVAL, "no blueprints came along");
  if (sessions_.size() >= kMaxSessions) {
    return Refuse(kType, ENOSPC, "too many sessions");
  }
  auto bytes = ReadSealed(fds[0].get());
  if (!bytes) return Refuse(kType, EINVAL, bytes.error().message);
  fds.erase(fds.begin());
  auto spec = DecodeSession(*bytes, static_cast<int>(fds.size()));
  if (!spec) return Refuse(kType, EINVAL, spec.error().message);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return Refuse(kType, errno, "create a session socket");
  }
  UniqueFd theirs(pair[0]);
  UniqueFd ours(pair[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  const std::uint32_t id = ++next_session_id_;
  auto session = std::make_unique<LiveSession>(
      host_, *std::move(spec), std::move(fds), std::move(ours), next_cell_id_,
      [this, id] { sessions_.erase(id); });
  if (auto opened = session->Open(); !opened) {
    return Refuse(kType, opened.error().fault.error_number,
                  opened.error().detail);
  }
  sessions_.emplace(id, std::move(session));
  const Reply reply = {.type = kType};
  const int fd = theirs.get();
  ReachFaultPoint("launcher.session");
  if (!SendRecord(control_.get(), &reply, sizeof(reply), {&fd, 1})) Shutdown();
}

void Server::SendStats() {
  Reply reply = {.type = CallType::kLauncherStats};
  reply.sessions = static_cast<std::uint32_t>(sessions_.size());
  for (const auto& [id, session] : sessions_) {
    reply.cells += static_cast<std::uint32_t>(session->cells());
    reply.processes += static_cast<std::uint32_t>(session->processes());
  }
  reply.memory_bytes = ResidentBytes();
  if (!SendRecord(control_.get(), &reply, sizeof(reply))) Shutdown();
}

void Server::Refuse(CallType type, int error_number,
                    const std::string& message) {
  Reply reply = {.type = type, .error_number = error_number};
  const std::size_t n = std::min(message.size(), sizeof(reply.detail) - 1);
  std::memcpy(reply.detail, message.data(), n);
  if (!SendRecord(control_.get(), &reply, sizeof(reply))) Shutdown();
}

void Server::Shutdown() {
  if (std::exchange(stopping_, true)) return;
  host_.loop.Unwatch(std::exchange(watch_, 0));
  for (const auto& [id, session] : sessions_) session->Close();
  // What is not gone by then is stuck in the kernel; our death kills the rest
  // of it, and the next launcher removes the cgroups.
  host_.loop.At(EventLoop::Clock::now() + kPatience, [] { ::_exit(1); });
}

}  // namespace assay::sandbox
