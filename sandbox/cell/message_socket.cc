#include "sandbox/cell/message_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "sandbox/cell/protocol.h"

namespace assay::sandbox {

bool SendRecord(int socket, const void* data, std::size_t size,
                std::span<const int> fds) {
  iovec part = {const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxSessionFds)];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fds.size() > kMaxSessionFds) {
    errno = EINVAL;
    return false;
  }
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(size);
}

ReceiveResult ReceiveRecord(int socket, void* data, std::size_t size,
                            std::vector<UniqueFd>& fds, int max_fds) {
  iovec part = {data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxSessionFds)];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    return ReceiveResult::kNothingYet;
  }
  if (received < 0) return ReceiveResult::kClosed;

  fds.clear();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  if (received == 0 && fds.empty()) return ReceiveResult::kClosed;
  const bool cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  if (cut || received != static_cast<ssize_t>(size) ||
      fds.size() > static_cast<std::size_t>(max_fds)) {
    fds.clear();
    return ReceiveResult::kMalformed;
  }
  return ReceiveResult::kMessage;
}

}  // namespace assay::sandbox
