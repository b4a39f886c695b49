#include "sandbox/cell/blueprint.h"

#include <bit>
#include <concepts>
#include <cstring>
#include <type_traits>

#include "sandbox/cell/protocol.h"

namespace assay::sandbox {
namespace {

// One Fields function per struct serves both directions: it passes each member
// to `f`, which is an Encoder or a Decoder. A descriptor goes through f.Fd.
template <class F>
void Fields(F& f, VolumeSpec& v) {
  f(v.bytes, v.inodes);
}
template <class F>
void Fields(F&, HostRoot&) {}
template <class F>
void Fields(F& f, DirectoryRoot& v) {
  f(v.path);
}
template <class F>
void Fields(F& f, HostSource& v) {
  f(v.path);
  f.Fd(v.fd);
}
template <class F>
void Fields(F& f, VolumeMount& v) {
  f(v.volume, v.target, v.read_only);
}
template <class F>
void Fields(F&, AllowHostWrites&) {}
template <class F>
void Fields(F& f, BindMount& v) {
  f(v.source, v.target, v.writable);
}
template <class F>
void Fields(F& f, OverlayMount& v) {
  f(v.lower, v.target, v.bytes, v.inodes);
}
template <class F>
void Fields(F& f, TmpfsMount& v) {
  f(v.target, v.bytes, v.inodes);
}
template <class F>
void Fields(F& f, Limits& v) {
  f(v.memory_bytes, v.pids, v.cores, v.io_bytes_per_second, v.scratch_bytes,
    v.scratch_inodes, v.open_files, v.file_bytes);
}
template <class F>
void Fields(F& f, UnpackAction& v) {
  f.Fd(v.archive_fd);
  f(v.directory);
}
template <class F>
void Fields(F& f, ProcessSpec& v) {
  f(v.name, v.arguments, v.environment, v.working_directory, v.stdin_kind,
    v.wall_limit, v.cpu_limit, v.unpack, v.expected_starts);
}
template <class F>
void Fields(F& f, CellSpec& v) {
  f(v.name, v.root, v.mounts, v.limits, v.processes, v.hostname, v.loopback,
    v.expected_starts);
}
template <class F>
void Fields(F& f, SessionSpec& v) {
  f(v.volumes, v.cells);
}

template <class T>
concept Number = std::integral<T> && !std::same_as<T, bool>;

class Encoder {
 public:
  template <class... T>
  void operator()(T&... values) {
    (Put(values), ...);
  }
  void Fd(int& fd) {
    std::int32_t index = -1;
    if (fd >= 0) {
      index = static_cast<std::int32_t>(out_.fds.size());
      out_.fds.push_back(fd);
    }
    Put(index);
  }
  EncodedSession Take() { return std::move(out_); }

 private:
  template <Number T>
  void Put(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      out_.bytes.push_back(static_cast<char>(value >> (8 * i)));
    }
  }
  void Put(bool value) { Put(static_cast<std::uint8_t>(value)); }
  void Put(double value) { Put(std::bit_cast<std::uint64_t>(value)); }
  void Put(Stdin value) { Put(static_cast<std::uint8_t>(value)); }
  void Put(std::chrono::nanoseconds value) {
    Put(static_cast<std::int64_t>(value.count()));
  }
  void Put(std::string& text) {
    Put(static_cast<std::uint32_t>(text.size()));
    out_.bytes += text;
  }
  template <class T>
  void Put(std::vector<T>& list) {
    Put(static_cast<std::uint32_t>(list.size()));
    for (T& item : list) Put(item);
  }
  template <class T>
  void Put(std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }
  template <class... T>
  void Put(std::variant<T...>& value) {
    Put(static_cast<std::uint8_t>(value.index()));
    std::visit([this](auto& alternative) { this->Put(alternative); }, value);
  }
  template <class T>
    requires std::is_class_v<T>
  void Put(T& record) {
    Fields(*this, record);
  }

  EncodedSession out_;
};

class Decoder {
 public:
  Decoder(std::string_view bytes, int fd_count)
      : rest_(bytes), fd_count_(fd_count) {}

  template <class... T>
  void operator()(T&... values) {
    (Take(values), ...);
  }
  void Fd(int& fd) {
    std::int32_t index = -1;
    Take(index);
    if (index < -1 || index >= fd_count_) ok_ = false;
    fd = index;
  }
  bool Complete() const { return ok_ && rest_.empty(); }

 private:
  template <Number T>
  void Take(T& value) {
    if (rest_.size() < sizeof(T)) {
      Fail();
      return;
    }
    std::make_unsigned_t<T> bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bits |= static_cast<std::make_unsigned_t<T>>(
          static_cast<std::make_unsigned_t<T>>(
              static_cast<unsigned char>(rest_[i]))
          << (8 * i));
    }
    value = static_cast<T>(bits);
    rest_.remove_prefix(sizeof(T));
  }
  void Take(bool& value) {
    std::uint8_t byte = 0;
    Take(byte);
    if (byte > 1) Fail();
    value = byte == 1;
  }
  void Take(double& value) {
    std::uint64_t bits = 0;
    Take(bits);
    value = std::bit_cast<double>(bits);
  }
  void Take(Stdin& value) {
    std::uint8_t byte = 0;
    Take(byte);
    if (byte > static_cast<std::uint8_t>(Stdin::kPipe)) Fail();
    value = static_cast<Stdin>(byte);
  }
  void Take(std::chrono::nanoseconds& value) {
    std::int64_t count = 0;
    Take(count);
    value = std::chrono::nanoseconds(count);
  }
  void Take(std::string& text) {
    const std::uint32_t size = Count();
    text = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }
  template <class T>
  void Take(std::vector<T>& list) {
    const std::uint32_t count = Count();
    for (std::uint32_t i = 0; i < count && ok_; ++i) {
      Take(list.emplace_back());
    }
  }
  template <class T>
  void Take(std::optional<T>& value) {
    bool present = false;
    Take(present);
    if (present) Take(value.emplace());
  }
  template <class... T>
  void Take(std::variant<T...>& value) {
    std::uint8_t index = 0;
    Take(index);
    if (index >= sizeof...(T)) Fail();
    if (!ok_) return;
    std::uint8_t at = 0;
    ((at++ == index ? Take(value.template emplace<T>()) : void()), ...);
  }
  template <class T>
    requires std::is_class_v<T>
  void Take(T& record) {
    Fields(*this, record);
  }

  // A list item or a character takes at least a byte, so a count above what is
  // left is a lie.
  std::uint32_t Count() {
    std::uint32_t count = 0;
    Take(count);
    if (count > rest_.size()) Fail();
    return ok_ ? count : 0;
  }
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  int fd_count_;
  bool ok_ = true;
};

}  // namespace

Expected<EncodedSession> EncodeSession(const SessionSpec& spec) {
  ASSAY_RETURN_IF_ERROR(CheckSession(spec));
  SessionSpec copy = spec;
  Encoder encoder;
  encoder(copy);
  EncodedSession encoded = encoder.Take();
  if (encoded.fds.size() > kMaxSessionFds - 1) {
    return Fail(Code::kResourceExhausted, "the session names ",
                encoded.fds.size(), " descriptors, expected at most ",
                kMaxSessionFds - 1);
  }
  if (encoded.bytes.size() > kMaxBlueprintBytes) {
    return Fail(Code::kResourceExhausted, "the session's blueprints take ",
                encoded.bytes.size(), " bytes, expected at most ",
                kMaxBlueprintBytes);
  }
  return encoded;
}

Expected<SessionSpec> DecodeSession(std::string_view bytes, int fd_count) {
  SessionSpec spec;
  Decoder decoder(bytes, fd_count);
  decoder(spec);
  if (!decoder.Complete()) {
    return InvalidArgument("the session's blueprints are malformed");
  }
  ASSAY_RETURN_IF_ERROR(CheckSession(spec));
  return spec;
}

}  // namespace assay::sandbox
