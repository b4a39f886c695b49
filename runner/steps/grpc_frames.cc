#include "runner/steps/grpc_frames.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <cstdint>

namespace assay::steps {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr std::size_t kPrefix = 5;
// Messages of one answer.
constexpr std::size_t kMostMessages = 10'000;

// Fields of the messages of grpc.reflection.v1alpha, which v1 has kept.
constexpr int kFileByName = 3;
constexpr int kFileContainingSymbol = 4;
constexpr int kFileDescriptorResponse = 4;
constexpr int kErrorResponse = 7;
constexpr int kDescriptorBytes = 1;
constexpr int kErrorMessage = 2;

constexpr std::array kCodes = {"OK",
                               "CANCELLED",
                               "UNKNOWN",
                               "INVALID_ARGUMENT",
                               "DEADLINE_EXCEEDED",
                               "NOT_FOUND",
                               "ALREADY_EXISTS",
                               "PERMISSION_DENIED",
                               "RESOURCE_EXHAUSTED",
                               "FAILED_PRECONDITION",
                               "ABORTED",
                               "OUT_OF_RANGE",
                               "UNIMPLEMENTED",
                               "INTERNAL",
                               "UNAVAILABLE",
                               "DATA_LOSS",
                               "UNAUTHENTICATED"};

std::string OneField(int number, std::string_view value) {
  std::string bytes;
  bytes += static_cast<char>(number << 3 | 2);
  for (std::size_t size = value.size();; size >>= 7) {
    bytes += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f) break;
  }
  bytes += value;
  return bytes;
}

// The values of a length-delimited field of a message; nothing if the message
// is not proper.
Expected<std::vector<std::string>> FieldsOf(const std::string& message,
                                            int number) {
  std::vector<std::string> values;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()),
                      static_cast<int>(message.size()));
  while (const std::uint32_t tag = in.ReadTag()) {
    const bool wanted = WireFormatLite::GetTagFieldNumber(tag) == number &&
                        WireFormatLite::GetTagWireType(tag) ==
                            WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    bool read = false;
    if (wanted) {
      std::uint32_t size = 0;
      read = in.ReadVarint32(&size) &&
             in.ReadString(&values.emplace_back(), static_cast<int>(size));
    } else {
      read = WireFormatLite::SkipField(&in, tag);
    }
    if (!read) return InvalidArgument("a message is cut off");
  }
  if (!in.ConsumedEntireMessage()) {
    return InvalidArgument("a message is garbled");
  }
  return values;
}

}  // namespace

std::string FrameMessage(std::string_view message) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::string frame(1, '\0');
  for (const int shift : {24, 16, 8, 0}) {
    frame += static_cast<char>(size >> shift & 0xff);
  }
  frame += message;
  return frame;
}

Expected<std::vector<std::string>> ReadFrames(std::string_view body) {
  std::vector<std::string> messages;
  while (!body.empty()) {
    if (body.size() < kPrefix) return InvalidArgument("a message is cut off");
    if (body[0] != '\0') {
      return InvalidArgument(
          "a message is compressed, which was not asked for");
    }
    std::uint32_t size = 0;
    for (std::size_t i = 1; i < kPrefix; ++i) {
      size = size << 8 | static_cast<unsigned char>(body[i]);
    }
    body.remove_prefix(kPrefix);
    if (size > body.size()) return InvalidArgument("a message is cut off");
    if (messages.size() == kMostMessages) {
      return InvalidArgument("there are more than ", kMostMessages,
                             " messages");
    }
    messages.emplace_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return messages;
}

std::string AskForSymbol(std::string_view symbol) {
  return OneField(kFileContainingSymbol, symbol);
}

std::string AskForFile(std::string_view name) {
  return OneField(kFileByName, name);
}

Expected<std::vector<std::string>> ReadReflection(const std::string& response) {
  ASSAY_ASSIGN_OR_RETURN(const auto errors, FieldsOf(response, kErrorResponse));
  if (!errors.empty()) {
    ASSAY_ASSIGN_OR_RETURN(const auto words,
                           FieldsOf(errors.front(), kErrorMessage));
    return NotFound(words.empty() ? "it does not know the method"
                                  : words.front());
  }
  ASSAY_ASSIGN_OR_RETURN(const auto answers,
                         FieldsOf(response, kFileDescriptorResponse));
  if (answers.empty()) return InvalidArgument("it answered something else");
  return FieldsOf(answers.front(), kDescriptorBytes);
}

std::string GrpcCodeName(int code) {
  if (code >= 0 && code < static_cast<int>(kCodes.size())) {
    return kCodes[static_cast<std::size_t>(code)];
  }
  return "CODE " + std::to_string(code);
}

std::string DecodeGrpcMessage(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace assay::steps
