#ifndef ASSAY_SERVICES_GATEWAY_CONNECT_CODEC_H_
#define ASSAY_SERVICES_GATEWAY_CONNECT_CODEC_H_

#include <google/protobuf/message.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::gateway {

// The Connect protocol's bytes. Pure functions.

// How messages are written. Errors and the ends of streams are always JSON.
enum class Codec { kJson, kProto };

// The HTTP status of a failed unary call.
int ConnectHttpStatus(Code code);
// {"code":"not_found","message":"..."}.
std::string ConnectErrorJson(const Error& error);

// One message of a stream: a byte of flags, the size in four bytes, the
// message.
std::string ConnectFrame(std::string_view message);
// The last frame of a stream, which says how it ended.
std::string ConnectEndFrame(const Status& status);
// The message inside the only frame that a server stream's request may have.
// Errors: kInvalidArgument, kUnimplemented for a compressed frame.
Expected<std::string_view> ConnectRequestFrame(std::string_view body);

// Parses the value of `connect-timeout-ms`: 1 to 10 digits. Absent when empty.
Expected<std::optional<std::chrono::milliseconds>> ConnectTimeout(
    std::string_view value);

// Fills `message` from JSON. Unknown fields are ignored, so that an older
// server takes a newer client's request. An empty body is an empty message.
// Errors: kInvalidArgument, also for text that is not UTF-8, which Protobuf
// would drop without a word.
Status ParseJson(std::string_view json, google::protobuf::Message& message);
Expected<std::string> PrintJson(const google::protobuf::Message& message);

// The same in either codec.
Status ParseMessage(Codec codec, std::string_view bytes,
                    google::protobuf::Message& message);
Expected<std::string> PrintMessage(Codec codec,
                                   const google::protobuf::Message& message);

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_CONNECT_CODEC_H_
