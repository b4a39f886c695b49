#ifndef ASSAY_RUNNER_WIRES_RESP_READER_H_
#define ASSAY_RUNNER_WIRES_RESP_READER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::wires {

// A value of Redis's protocol, as much of it as a trace shows.
struct RespValue {
  static constexpr std::size_t kText = 256;
  static constexpr std::size_t kItems = 64;

  // The protocol's type: '+' '-' ':' '$' '*' and RESP3's; ' ' for a command
  // that was sent as a line.
  char type = '+';
  // Of a scalar: its beginning.
  std::string text;
  // Of an array, push or line: its first scalars, each cut; nested ones empty.
  std::vector<std::string> items;
  // How many there are.
  std::int64_t count = 0;
  bool null = false;
  // On the wire.
  std::int64_t bytes = 0;
};

// Cuts one direction of a Redis connection into values (RESP2 and RESP3):
// bytes in, values out.
//
// Bounded: lines of 64 KiB, kDepth levels; long strings are skipped.
class RespReader {
 public:
  static constexpr std::size_t kDepth = 32;
  static constexpr std::size_t kLine = 64 << 10;
  static constexpr std::int64_t kMost = std::int64_t{1} << 40;

  enum class Result { kNeedMore, kValue, kNotTheProtocol };

  // `lines`: text that begins with no type is a command in a line, as clients
  // may send.
  explicit RespReader(bool lines) : lines_(lines) {}

  // Takes from the front of `bytes` up to the end of a value.
  Result Next(std::string_view& bytes, RespValue& value);

 private:
  enum class Line { kNeedMore, kWhole, kTooLong };
  Line TakeLine(std::string_view& bytes);
  // What a line of the protocol means; false: nothing.
  bool Read();
  bool ReadLength(std::int64_t& length) const;
  bool Open(std::int64_t elements);
  void Scalar(std::string_view text);
  // A value has ended; true when it was the outermost one.
  bool Close();

  const bool lines_;
  std::string line_;
  RespValue value_;
  // How many elements each open aggregate still lacks.
  std::vector<std::int64_t> open_;
  // Of a string: with its CRLF.
  std::int64_t string_left_ = -1;
  std::string string_;
  bool begun_ = false;
  bool whole_ = false;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_RESP_READER_H_
