#include "runner/wires/http2_frames.h"

#include <nghttp2/nghttp2.h>

namespace assay::wires {
namespace {

constexpr std::size_t kHeaderBytes = 64 << 10;
constexpr std::uint32_t kTable = 1 << 20;
// What every peer takes.
constexpr std::size_t kFrameBytes = 16 << 10;

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

}  // namespace

std::string Http2FrameHeader::Write() const {
  std::string out;
  for (const int shift : {16, 8, 0}) {
    out += static_cast<char>(length >> shift & 0xff);
  }
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) {
    out += static_cast<char>(stream >> shift & 0xff);
  }
  return out;
}

Http2FrameHeader Http2FrameHeader::Read(std::string_view bytes) {
  Http2FrameHeader header;
  for (std::size_t i = 0; i < 3; ++i) {
    header.length = header.length << 8 | ByteAt(bytes, i);
  }
  header.type = ByteAt(bytes, 3);
  header.flags = ByteAt(bytes, 4);
  for (std::size_t i = 5; i < 9; ++i) {
    header.stream = header.stream << 8 | ByteAt(bytes, i);
  }
  header.stream &= 0x7fffffff;
  return header;
}

Http2HeaderDecoder::Http2HeaderDecoder() { nghttp2_hd_inflate_new(&inflater_); }

Http2HeaderDecoder::~Http2HeaderDecoder() { nghttp2_hd_inflate_del(inflater_); }

std::optional<HttpHeaders> Http2HeaderDecoder::Decode(std::string_view block) {
  HttpHeaders headers;
  std::size_t bytes = 0;
  const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t taken =
        nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
    if (taken < 0) return std::nullopt;
    in += taken;
    left -= static_cast<std::size_t>(taken);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      bytes += field.namelen + field.valuelen + 32;
      if (bytes > kHeaderBytes) return std::nullopt;
      headers.emplace_back(
          std::string(reinterpret_cast<const char*>(field.name), field.namelen),
          std::string(reinterpret_cast<const char*>(field.value),
                      field.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(inflater_);
      return headers;
    }
    if (left == 0 && (flags & NGHTTP2_HD_INFLATE_EMIT) == 0) {
      return std::nullopt;
    }
  }
}

bool Http2HeaderDecoder::AllowTable(std::uint32_t bytes) {
  // A smaller one the encoder announces itself; reading with a larger one does
  // no harm.
  if (bytes <= nghttp2_hd_inflate_get_max_dynamic_table_size(inflater_)) {
    return true;
  }
  return bytes <= kTable &&
         nghttp2_hd_inflate_change_table_size(inflater_, bytes) == 0;
}

std::optional<std::string_view> HeaderFragment(const Http2FrameHeader& header,
                                               std::string_view payload) {
  std::size_t padding = 0;
  if (header.Has(Http2FrameHeader::kPadded)) {
    if (payload.empty()) return std::nullopt;
    padding = ByteAt(payload, 0);
    payload.remove_prefix(1);
  }
  std::size_t front = 0;
  if (header.type == Http2FrameHeader::kPushPromise) front = 4;
  if (header.type == Http2FrameHeader::kHeaders &&
      header.Has(Http2FrameHeader::kPriority)) {
    front = 5;
  }
  if (payload.size() < front + padding) return std::nullopt;
  return payload.substr(front, payload.size() - front - padding);
}

std::string AddHeader(std::string frames, std::size_t last_frame,
                      std::string_view name, std::string_view value) {
  std::string literal(1, '\0');
  literal += static_cast<char>(name.size());
  literal += name;
  literal += static_cast<char>(value.size());
  literal += value;
  Http2FrameHeader last =
      Http2FrameHeader::Read(std::string_view(frames).substr(last_frame));
  const bool padded = last.type == Http2FrameHeader::kHeaders &&
                      last.Has(Http2FrameHeader::kPadded);
  if (!padded && last.length + literal.size() <= kFrameBytes) {
    last.length += static_cast<std::uint32_t>(literal.size());
    frames.replace(last_frame, Http2FrameHeader::kBytes, last.Write());
    return frames + literal;
  }
  Http2FrameHeader more{static_cast<std::uint32_t>(literal.size()),
                        Http2FrameHeader::kContinuation,
                        Http2FrameHeader::kEndHeaders, last.stream};
  last.flags =
      static_cast<std::uint8_t>(last.flags & ~Http2FrameHeader::kEndHeaders);
  frames.replace(last_frame, Http2FrameHeader::kBytes, last.Write());
  return frames + more.Write() + literal;
}

}  // namespace assay::wires
