#ifndef ASSAY_SERVICES_GIT_HTTP_PKT_LINE_H_
#define ASSAY_SERVICES_GIT_HTTP_PKT_LINE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::git_http {

// Git's framing: four hex digits with the length (themselves included), then
// the payload; lengths 0, 1 and 2 are marks.
struct Packet {
  enum class Kind { kData, kFlush, kDelimiter, kResponseEnd };
  Kind kind = Kind::kData;
  std::string_view payload;
};

inline constexpr std::size_t kMaxPacket = 65'520;
inline constexpr std::string_view kFlush = "0000";

// Takes packets off the front of bytes that somebody else owns.
//
// Errors: kInvalidArgument for a malformed length.
class PacketReader {
 public:
  explicit PacketReader(std::string_view bytes) : rest_(bytes) {}

  // Absent when less than a whole packet is left.
  Expected<std::optional<Packet>> Next();
  // What has not been taken yet.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// One packet. `payload` is at most kMaxPacket - 4 bytes.
std::string PacketOf(std::string_view payload);

// Bands of the side-band-64k capability.
enum class Band : char {
  kReport = 1,
  // Shown as "remote: ..."; a line without its end is held back by git.
  kMessage = 2,
  // The last words: git says them and fails without a result.
  kFatal = 3,
};
// `bytes` in as many packets as they need.
std::string BandOf(Band band, std::string_view bytes);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_PKT_LINE_H_
