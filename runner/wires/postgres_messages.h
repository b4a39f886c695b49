#ifndef ASSAY_RUNNER_WIRES_POSTGRES_MESSAGES_H_
#define ASSAY_RUNNER_WIRES_POSTGRES_MESSAGES_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace assay::wires {

// Reads the fields of one message of PostgreSQL's protocol, version 3. Past
// the end everything is zero or empty and `ok` turns false.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t Byte();
  std::int16_t Int16();
  std::int32_t Int32();
  // Up to a NUL, which is consumed.
  std::string_view Text();
  std::string_view Bytes(std::size_t count);
  bool empty() const { return bytes_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// Which side of a connection speaks: message types mean different things.
enum class Speaker { kClient, kServer };

// Cuts one direction of a connection into messages, however its bytes are
// split, keeping only as much of a payload as its reader can use.
class MessageCutter {
 public:
  enum class Result { kNeedMore, kMessage, kNotTheProtocol };

  struct Message {
    // '\0' for a startup packet, which has no type.
    char type = '\0';
    // The first bytes of the payload; the rest was not kept.
    std::string_view payload;
    // Of the whole payload.
    std::uint32_t length = 0;
    bool complete = true;
  };

  explicit MessageCutter(Speaker speaker) : speaker_(speaker) {}

  // Consumes from the front of `bytes`. A message is valid until the next
  // call.
  Result Next(std::string_view& bytes, Message& message);
  // The next message has no type byte.
  void ExpectStartup() { startup_ = true; }

 private:
  Result ReadHeader(std::string_view& bytes);

  const Speaker speaker_;
  bool startup_ = false;
  // The header as far as it has come, then the kept part of the payload.
  std::string header_;
  std::string payload_;
  bool in_payload_ = false;
  char type_ = '\0';
  std::uint32_t length_ = 0;
  std::uint32_t keep_ = 0;
  std::uint32_t remaining_ = 0;
};

// SQLSTATE and texts of an ErrorResponse or NoticeResponse.
struct ServerError {
  std::string severity;
  std::string code;
  std::string message;
  std::string detail;
};
ServerError ReadServerError(std::string_view payload);

// The number at the end of a command tag: "INSERT 0 5" and "SELECT 5" are 5,
// "BEGIN" is 0.
std::int64_t RowsOfTag(std::string_view tag);

// Appends a message: type, length, payload.
void AppendMessage(std::string& out, char type, std::string_view payload);
void AppendInt16(std::string& out, std::int16_t value);
void AppendInt32(std::string& out, std::int32_t value);

// Codes in the place of a version in a startup packet.
inline constexpr std::int32_t kProtocolVersion3 = 196608;
inline constexpr std::int32_t kCancelRequest = 80877102;
inline constexpr std::int32_t kSslRequest = 80877103;
inline constexpr std::int32_t kGssEncRequest = 80877104;

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_POSTGRES_MESSAGES_H_
