#ifndef ASSAY_RUNNER_WIRES_HTTP2_FRAMES_H_
#define ASSAY_RUNNER_WIRES_HTTP2_FRAMES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runner/wires/http1_reader.h"

struct nghttp2_hd_inflater;

namespace assay::wires {

// The nine bytes in front of an HTTP/2 frame (RFC 9113).
struct Http2FrameHeader {
  enum Type : std::uint8_t {
    kData = 0,
    kHeaders = 1,
    kResetStream = 3,
    kSettings = 4,
    kPushPromise = 5,
    kContinuation = 9,
  };
  static constexpr std::size_t kBytes = 9;
  static constexpr std::uint8_t kEndStream = 1;
  static constexpr std::uint8_t kAck = 1;
  static constexpr std::uint8_t kEndHeaders = 4;
  static constexpr std::uint8_t kPadded = 8;
  static constexpr std::uint8_t kPriority = 32;

  std::uint32_t length = 0;
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;

  bool Has(std::uint8_t flag) const { return (flags & flag) != 0; }
  std::string Write() const;
  static Http2FrameHeader Read(std::string_view bytes);
};

// Decodes the header blocks of one direction (HPACK), which all have to pass
// here in order. Bounded: 64 KiB of headers a block.
class Http2HeaderDecoder {
 public:
  Http2HeaderDecoder();
  ~Http2HeaderDecoder();

  // Nothing where the block cannot be read; then none after it can.
  std::optional<HttpHeaders> Decode(std::string_view block);
  // The other side allows a table of so many bytes.
  bool AllowTable(std::uint32_t bytes);

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

// The headers' part of a HEADERS or PUSH_PROMISE frame's payload: without
// padding, priority and the promised stream. Nothing where it is malformed.
std::optional<std::string_view> HeaderFragment(const Http2FrameHeader& header,
                                               std::string_view payload);

// Adds a header to a block that was sent as `frames` (HEADERS and whatever
// CONTINUATION followed): as a literal that is not indexed, so that the
// decoder's table is none the wiser.
std::string AddHeader(std::string frames, std::size_t last_frame,
                      std::string_view name, std::string_view value);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP2_FRAMES_H_
