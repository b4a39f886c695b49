#ifndef ASSAY_RUNNER_WIRES_WEBSOCKET_READER_H_
#define ASSAY_RUNNER_WIRES_WEBSOCKET_READER_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::wires {

// Finds the frames in one direction of a WebSocket (RFC 6455). Payloads are
// skipped.
class WebSocketReader {
 public:
  struct Frame {
    int opcode = 0;
    std::uint64_t bytes = 0;
  };

  // Takes from the front of `bytes`; true when a frame's header is whole.
  bool Next(std::string_view& bytes, Frame& frame) {
    while (!bytes.empty()) {
      if (skip_ > 0) {
        const std::size_t taken = static_cast<std::size_t>(
            std::min<std::uint64_t>(skip_, bytes.size()));
        bytes.remove_prefix(taken);
        skip_ -= taken;
        continue;
      }
      header_ += bytes.front();
      bytes.remove_prefix(1);
      if (header_.size() < Needed()) continue;
      frame.opcode = header_[0] & 0x0f;
      frame.bytes = Length();
      skip_ = frame.bytes;
      header_.clear();
      return true;
    }
    return false;
  }

 private:
  int Code() const { return static_cast<unsigned char>(header_[1]) & 0x7f; }
  std::size_t LengthBytes() const {
    return Code() == 126 ? 2 : Code() == 127 ? 8 : 0;
  }
  std::size_t Needed() const {
    if (header_.size() < 2) return 2;
    const bool masked = (static_cast<unsigned char>(header_[1]) & 0x80) != 0;
    return 2 + LengthBytes() + (masked ? 4 : 0);
  }
  std::uint64_t Length() const {
    if (LengthBytes() == 0) return static_cast<std::uint64_t>(Code());
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < LengthBytes(); ++i) {
      length = length << 8 | static_cast<unsigned char>(header_[2 + i]);
    }
    return length;
  }

  std::string header_;
  std::uint64_t skip_ = 0;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_WEBSOCKET_READER_H_
