#include "runner/wires/grpc_server.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

namespace assay::wires {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kStreams = 64;
// In front of each message: a flag and a length.
constexpr std::size_t kPrefix = 5;

nghttp2_nv Field(const std::string& name, const std::string& value) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

class Connection {
 public:
  Connection(std::size_t message_limit,
             std::function<GrpcAnswer(const GrpcCall&)> answer)
      : limit_(message_limit), answer_(std::move(answer)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              &OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnClose);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const std::array<nghttp2_settings_entry, 2> settings = {
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreams},
         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                            settings.size());
  }
  ~Connection() { nghttp2_session_del(session_); }
  Connection(const Connection&) = delete;

  // False: the peer does not speak HTTP/2.
  bool Take(std::string_view bytes) {
    return nghttp2_session_mem_recv(
               session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
               bytes.size()) >= 0;
  }
  std::string ToSend() {
    std::string out;
    const std::uint8_t* data = nullptr;
    while (true) {
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(data),
                 static_cast<std::size_t>(size));
    }
  }
  bool done() const {
    return nghttp2_session_want_read(session_) == 0 &&
           nghttp2_session_want_write(session_) == 0;
  }

 private:
  struct Stream {
    std::string path;
    std::string body;
    bool too_large = false;
    GrpcAnswer answer;
    bool sent = false;
  };

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* self) {
    if (std::string_view(reinterpret_cast<const char*>(name), name_size) ==
        ":path") {
      static_cast<Connection*>(self)->streams_[frame->hd.stream_id].path.assign(
          reinterpret_cast<const char*>(value), value_size);
    }
    return 0;
  }
  static int OnData(nghttp2_session*, std::uint8_t, std::int32_t id,
                    const std::uint8_t* data, std::size_t size, void* self) {
    auto& connection = *static_cast<Connection*>(self);
    Stream& stream = connection.streams_[id];
    if (stream.body.size() + size > connection.limit_ + kPrefix) {
      stream.too_large = true;
    } else {
      stream.body.append(reinterpret_cast<const char*>(data), size);
    }
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (ends &&
        (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS)) {
      static_cast<Connection*>(self)->Answer(frame->hd.stream_id);
    }
    return 0;
  }
  static int OnClose(nghttp2_session*, std::int32_t id, std::uint32_t,
                     void* self) {
    static_cast<Connection*>(self)->streams_.erase(id);
    return 0;
  }

  // The empty message, and where it ends the trailers.
  static ssize_t Read(nghttp2_session* session, std::int32_t id,
                      std::uint8_t* out, std::size_t size, std::uint32_t* flags,
                      nghttp2_data_source* source, void*) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const std::string code =
        std::to_string(static_cast<int>(stream.answer.code));
    const std::string status = "grpc-status";
    const std::string text = "grpc-message";
    const std::array<nghttp2_nv, 2> trailers = {
        Field(status, code), Field(text, stream.answer.message)};
    nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
    if (stream.answer.code != GrpcCode::kOk || size < kPrefix) return 0;
    std::memset(out, 0, kPrefix);
    return kPrefix;
  }

  void Answer(std::int32_t id) {
    Stream& stream = streams_[id];
    if (std::exchange(stream.sent, true)) return;
    stream.answer = Judge(stream);
    const std::array<std::string, 4> words = {":status", "200", "content-type",
                                              "application/grpc"};
    const std::array<nghttp2_nv, 2> headers = {Field(words[0], words[1]),
                                               Field(words[2], words[3])};
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = &Read;
    nghttp2_submit_response(session_, id, headers.data(), headers.size(),
                            &provider);
  }

  GrpcAnswer Judge(const Stream& stream) const {
    if (stream.too_large) {
      return {GrpcCode::kExhausted, "the message is too large"};
    }
    if (stream.body.size() < kPrefix) {
      return {GrpcCode::kInvalid, "there is no message"};
    }
    std::uint32_t length = 0;
    for (std::size_t i = 1; i < kPrefix; ++i) {
      length = length << 8 | static_cast<unsigned char>(stream.body[i]);
    }
    if (length != stream.body.size() - kPrefix) {
      return {GrpcCode::kInvalid, "expected one message"};
    }
    return answer_(
        {stream.path, stream.body.substr(kPrefix), stream.body[0] != 0});
  }

  const std::size_t limit_;
  std::function<GrpcAnswer(const GrpcCall&)> answer_;
  nghttp2_session* session_ = nullptr;
  // nghttp2 keeps pointers to them until they are closed.
  std::map<std::int32_t, Stream> streams_;
};

}  // namespace

asio::awaitable<void> ServeGrpc(
    asio::ip::tcp::socket socket, std::size_t message_limit,
    std::function<GrpcAnswer(const GrpcCall&)> answer) {
  Connection connection(message_limit, std::move(answer));
  std::array<char, 16'384> buffer;
  while (!connection.done()) {
    const std::string out = connection.ToSend();
    if (!out.empty()) {
      const auto [failed, written] =
          co_await asio::async_write(socket, asio::buffer(out), kTuple);
      if (failed) co_return;
    }
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(buffer), kTuple);
    if (error || !connection.Take({buffer.data(), size})) co_return;
  }
}

}  // namespace assay::wires
