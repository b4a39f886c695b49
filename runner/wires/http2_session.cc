#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "runner/wires/http2_frames.h"
#include "runner/wires/http_session.h"

namespace assay::wires {
namespace {

using Header = Http2FrameHeader;

constexpr std::size_t kStreams = 1000;
// Of one header block as sent.
constexpr std::size_t kBlock = 128 << 10;

// One direction.
struct Side {
  // The bytes of a frame's header, or of frames that are looked at as a whole.
  std::string frame;
  std::optional<Header> header;
  // Of a DATA frame or one that nobody looks at.
  std::uint32_t skip = 0;
  // A header block under way: its frames as sent, where the last one begins,
  // and what is to be decoded.
  std::string frames;
  std::size_t last_frame = 0;
  std::string block;
  Header first;
  Http2HeaderDecoder decoder;
};

class Http2Session final : public HttpProtocol {
 public:
  explicit Http2Session(HttpEvents& events) : events_(events) {}

  std::string_view OnClient(std::string_view bytes, Moment now) override;
  void OnServer(std::string_view bytes, Moment now) override;
  void OnClose(Moment now) override;

 private:
  using ExchangePtr = std::shared_ptr<HttpExchange>;

  // Takes from the front of `bytes`; appends what passes on to out_ unless the
  // server speaks.
  void Take(Side& side, std::string_view& bytes, bool client, Moment now);
  void WholeFrame(Side& side, bool client, Moment now);
  void HeaderPart(Side& side, const Header& header, bool client, Moment now);
  void Settings(std::string_view payload, bool client, Moment now);
  // What is to be sent in the place of the client's frames.
  std::string Request(Side& side, HttpHeaders headers, Moment now);
  void Response(const Header& header, const HttpHeaders& headers, Moment now);
  void Data(std::uint32_t stream, std::string_view piece, bool client);
  void EndStream(std::uint32_t stream, std::string problem, Moment now);
  void FallBack(const std::string& reason, Moment now);
  void Pass(bool client, std::string_view bytes) {
    if (client) out_ += bytes;
  }

  HttpEvents& events_;
  std::size_t preface_left_ = kHttp2Preface.size();
  Side client_;
  Side server_;
  std::map<std::uint32_t, ExchangePtr> streams_;
  std::uint32_t highest_ = 0;
  std::string out_;
  // The client's bytes that were held back when the session fell back.
  std::string held_;
  bool raw_ = false;
};

std::string_view Http2Session::OnClient(std::string_view bytes, Moment now) {
  if (raw_ && held_.empty()) return bytes;
  out_.clear();
  if (preface_left_ > 0) {
    const std::string_view part = bytes.substr(0, preface_left_);
    const bool right =
        kHttp2Preface.substr(kHttp2Preface.size() - preface_left_)
            .starts_with(part);
    preface_left_ -= part.size();
    out_ += part;
    bytes.remove_prefix(part.size());
    if (!right) FallBack("this is not HTTP/2", now);
  }
  while (!bytes.empty() && !raw_) Take(client_, bytes, true, now);
  out_ += std::exchange(held_, {});
  out_ += bytes;
  return out_;
}

void Http2Session::OnServer(std::string_view bytes, Moment now) {
  while (!bytes.empty() && !raw_) Take(server_, bytes, false, now);
}

void Http2Session::Take(Side& side, std::string_view& bytes, bool client,
                        Moment now) {
  if (side.skip > 0) {
    const std::string_view piece = bytes.substr(0, side.skip);
    bytes.remove_prefix(piece.size());
    side.skip -= static_cast<std::uint32_t>(piece.size());
    if (side.header->type == Header::kData) {
      Data(side.header->stream, piece, client);
    }
    Pass(client, piece);
  } else if (!side.header) {
    const std::string_view part =
        bytes.substr(0, Header::kBytes - side.frame.size());
    side.frame += part;
    bytes.remove_prefix(part.size());
    if (side.frame.size() < Header::kBytes) return;
    side.header = Header::Read(side.frame);
    const bool whole = side.header->type == Header::kHeaders ||
                       side.header->type == Header::kContinuation ||
                       side.header->type == Header::kPushPromise ||
                       side.header->type == Header::kSettings;
    if (whole) {
      if (side.header->length + side.frames.size() > kBlock) {
        return FallBack("a header block is too long", now);
      }
      if (side.header->length == 0) WholeFrame(side, client, now);
      return;
    }
    Pass(client, side.frame);
    side.skip = side.header->length;
    side.frame.clear();
  } else {
    const std::size_t left =
        Header::kBytes + side.header->length - side.frame.size();
    const std::string_view part = bytes.substr(0, left);
    side.frame += part;
    bytes.remove_prefix(part.size());
    if (part.size() == left) WholeFrame(side, client, now);
    return;
  }
  // The end of a frame that was passed on as it came.
  if (side.skip > 0) return;
  const Header header = *std::exchange(side.header, std::nullopt);
  if (header.type == Header::kResetStream) {
    EndStream(header.stream, "the stream was reset", now);
  } else if (header.type == Header::kData && !client &&
             header.Has(Header::kEndStream)) {
    EndStream(header.stream, "", now);
  }
}

void Http2Session::WholeFrame(Side& side, bool client, Moment now) {
  const Header header = *std::exchange(side.header, std::nullopt);
  const std::string frame = std::exchange(side.frame, {});
  if (header.type == Header::kSettings) {
    Pass(client, frame);
    if (!header.Has(Header::kAck)) {
      Settings(std::string_view(frame).substr(Header::kBytes), client, now);
    }
    return;
  }
  side.last_frame = side.frames.size();
  side.frames += frame;
  if (side.last_frame == 0) side.first = header;
  HeaderPart(side, header, client, now);
}

void Http2Session::HeaderPart(Side& side, const Header& header, bool client,
                              Moment now) {
  const auto part = HeaderFragment(
      header,
      std::string_view(side.frames).substr(side.last_frame + Header::kBytes));
  const bool continues = header.type == Header::kContinuation;
  if (!part || continues != (side.last_frame > 0) ||
      header.stream != side.first.stream) {
    return FallBack("a header block is malformed", now);
  }
  side.block += *part;
  if (!header.Has(Header::kEndHeaders)) return;
  auto headers = side.decoder.Decode(std::exchange(side.block, {}));
  if (!headers) return FallBack("a header block cannot be decoded", now);
  if (client) {
    const std::string sent = Request(side, *std::move(headers), now);
    if (!raw_) {
      out_ += sent;
      side.frames.clear();
    }
    return;
  }
  side.frames.clear();
  if (side.first.type == Header::kHeaders) {
    Response(side.first, *headers, now);
  }
}

std::string Http2Session::Request(Side& side, HttpHeaders headers, Moment now) {
  const std::uint32_t stream = side.first.stream;
  std::string frames = side.frames;
  // Trailers of a stream that is known, or of one that has ended.
  if (stream <= highest_) return frames;
  if (streams_.size() >= kStreams) {
    FallBack("too many streams are open", now);
    return frames;
  }
  highest_ = stream;
  auto exchange = std::make_shared<HttpExchange>();
  exchange->version = "2";
  exchange->method = FindHeader(headers, ":method");
  exchange->target = FindHeader(headers, ":path");
  exchange->traceparent = FindHeader(headers, "traceparent");
  exchange->request_headers = std::move(headers);
  exchange->begin = now;
  streams_[stream] = exchange;
  events_.OnRequest(*exchange);
  if (!exchange->traceparent.empty()) return frames;
  return AddHeader(std::move(frames), side.last_frame, "traceparent",
                   telemetry::FormatTraceparent(exchange->span));
}

void Http2Session::Response(const Header& header, const HttpHeaders& headers,
                            Moment now) {
  const auto it = streams_.find(header.stream);
  if (it == streams_.end()) return;
  HttpExchange& exchange = *it->second;
  const Http1Head status{.second = std::string(FindHeader(headers, ":status"))};
  const std::string_view grpc = FindHeader(headers, "grpc-status");
  if (!grpc.empty()) exchange.grpc_status = grpc.substr(0, 16);
  if (status.status() >= 200) {
    exchange.status = status.status();
    exchange.first_byte_nanos = now.nanos;
    exchange.response_headers = headers;
  }
  if (header.Has(Header::kEndStream)) EndStream(header.stream, "", now);
}

void Http2Session::Data(std::uint32_t stream, std::string_view piece,
                        bool client) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  (client ? it->second->request_body : it->second->response_body).Add(piece);
}

void Http2Session::EndStream(std::uint32_t stream, std::string problem,
                             Moment now) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  const ExchangePtr exchange = it->second;
  streams_.erase(it);
  exchange->end_nanos = now.nanos;
  exchange->problem = std::move(problem);
  events_.OnExchange(*exchange);
}

void Http2Session::Settings(std::string_view payload, bool client, Moment now) {
  constexpr std::uint16_t kTableSize = 1;
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    const auto byte = [&](std::size_t at) {
      return static_cast<std::uint32_t>(
          static_cast<unsigned char>(payload[at]));
    };
    if ((byte(0) << 8 | byte(1)) != kTableSize) continue;
    const std::uint32_t size =
        byte(2) << 24 | byte(3) << 16 | byte(4) << 8 | byte(5);
    // It is for what the other side encodes.
    if (!(client ? server_ : client_).decoder.AllowTable(size)) {
      return FallBack("a header table of " + std::to_string(size) + " bytes",
                      now);
    }
  }
}

void Http2Session::FallBack(const std::string& reason, Moment now) {
  raw_ = true;
  // What was held back goes on as it came, in front of what comes next.
  held_ = client_.frames + client_.frame;
  while (!streams_.empty()) {
    EndStream(streams_.begin()->first, "the answer was not seen: " + reason,
              now);
  }
  events_.OnFellBack(reason);
}

void Http2Session::OnClose(Moment now) {
  while (!streams_.empty()) {
    EndStream(streams_.begin()->first,
              "the connection ended before the answer did", now);
  }
  raw_ = true;
}

}  // namespace

std::unique_ptr<HttpProtocol> MakeHttp2Session(HttpEvents& events) {
  return std::make_unique<Http2Session>(events);
}

}  // namespace assay::wires
