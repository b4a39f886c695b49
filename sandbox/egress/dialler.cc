#include "sandbox/egress/dialler.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "sandbox/cell/message_socket.h"

namespace assay::sandbox {

Dialler::Dialler(UniqueFd socket) : socket_(std::move(socket)) {
  ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
}

Status Dialler::Ask(std::uint32_t id, std::uint32_t destination) {
  const DialCall call = {id, destination};
  if (SendRecord(socket_.get(), &call, sizeof(call))) return {};
  return SystemError("ask assay-egress", errno);
}

Expected<std::optional<Dialler::Answer>> Dialler::Receive() {
  Answer answer;
  std::vector<UniqueFd> fds;
  switch (ReceiveRecord(socket_.get(), &answer.reply, sizeof(answer.reply), fds,
                        1)) {
    case ReceiveResult::kMessage:
      break;
    case ReceiveResult::kNothingYet:
      return std::nullopt;
    default:
      return Unavailable("assay-egress is gone");
  }
  answer.reply.address[sizeof(answer.reply.address) - 1] = '\0';
  answer.reply.reason[sizeof(answer.reply.reason) - 1] = '\0';
  if (!fds.empty()) answer.connection = std::move(fds[0]);
  return std::optional<Answer>(std::move(answer));
}

}  // namespace assay::sandbox
