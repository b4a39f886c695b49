#include "services/git_http/pkt_line.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace assay::git_http {
namespace {

constexpr std::size_t kPrefix = 4;

}  // namespace

Expected<std::optional<Packet>> PacketReader::Next() {
  if (rest_.size() < kPrefix) return std::nullopt;
  std::size_t length = 0;
  const auto [end, error] =
      std::from_chars(rest_.data(), rest_.data() + kPrefix, length, 16);
  if (error != std::errc() || end != rest_.data() + kPrefix || length == 3 ||
      length > kMaxPacket)
    return InvalidArgument("malformed pkt-line length");
  if (length < kPrefix) {
    rest_.remove_prefix(kPrefix);
    constexpr std::array kMarks{Packet::Kind::kFlush, Packet::Kind::kDelimiter,
                                Packet::Kind::kResponseEnd};
    return Packet{.kind = kMarks.at(length)};
  }
  if (rest_.size() < length) return std::nullopt;
  const Packet packet{.payload = rest_.substr(kPrefix, length - kPrefix)};
  rest_.remove_prefix(length);
  return packet;
}

std::string PacketOf(std::string_view payload) {
  static constexpr char kHex[] = "0123456789abcdef";
  const std::size_t length = payload.size() + kPrefix;
  std::string packet;
  for (const int shift : {12, 8, 4, 0}) packet += kHex[length >> shift & 0xF];
  return packet.append(payload);
}

std::string BandOf(Band band, std::string_view bytes) {
  constexpr std::size_t kMost = kMaxPacket - kPrefix - 1;
  std::string packets;
  do {
    const std::string_view piece = bytes.substr(0, kMost);
    packets += PacketOf(static_cast<char>(band) + std::string(piece));
    bytes.remove_prefix(piece.size());
  } while (!bytes.empty());
  return packets;
}

}  // namespace assay::git_http
