#include "services/gateway/connect_codec.h"

#include <google/protobuf/util/json_util.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "proto/base/utf8.h"

namespace assay::gateway {
namespace {

constexpr char kCompressed = 0x01;
constexpr char kEndStream = 0x02;
constexpr std::size_t kPrefix = 5;

nlohmann::ordered_json ErrorJson(const Error& error) {
  return {{"code", ConnectCodeName(error.code)}, {"message", error.message}};
}

// What is not UTF-8 is replaced rather than thrown at.
std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

std::string Frame(char flags, std::string_view json) {
  std::string frame(1, flags);
  for (const int shift : {24, 16, 8, 0})
    frame += static_cast<char>(json.size() >> shift & 0xFF);
  return frame.append(json);
}

}  // namespace

int ConnectHttpStatus(Code code) {
  switch (code) {
    case Code::kOk:
      return 200;
    case Code::kCancelled:
      return 499;
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
      return 400;
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kAborted:
      return 409;
    case Code::kResourceExhausted:
      return 429;
    case Code::kUnimplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kDataLoss:
      return 500;
  }
  return 500;
}

std::string ConnectErrorJson(const Error& error) {
  return Dump(ErrorJson(error));
}

std::string ConnectFrame(std::string_view message) { return Frame(0, message); }

std::string ConnectEndFrame(const Status& status) {
  nlohmann::ordered_json end = nlohmann::ordered_json::object();
  if (!status) end["error"] = ErrorJson(status.error());
  return Frame(kEndStream, Dump(end));
}

Expected<std::string_view> ConnectRequestFrame(std::string_view body) {
  if (body.size() < kPrefix)
    return InvalidArgument("the stream's request has ", body.size(),
                           " bytes: expected a frame of five and a message");
  if ((body[0] & kCompressed) != 0)
    return Unimplemented("compressed frames are not supported");
  if (body[0] != 0)
    return InvalidArgument("the request's frame has unknown flags");
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefix; ++i)
    size = size << 8 | static_cast<unsigned char>(body[i]);
  if (body.size() - kPrefix != size)
    return InvalidArgument("the request's frame announces ", size,
                           " bytes and ", body.size() - kPrefix,
                           " follow: expected exactly one frame");
  return body.substr(kPrefix);
}

Expected<std::optional<std::chrono::milliseconds>> ConnectTimeout(
    std::string_view value) {
  if (value.empty()) return std::nullopt;
  std::int64_t milliseconds = 0;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), milliseconds);
  if (error != std::errc() || end != value.data() + value.size() ||
      value.size() > 10 || milliseconds < 0)
    return InvalidArgument("connect-timeout-ms is \"", value.substr(0, 20),
                           "\": expected 1 to 10 digits");
  return std::chrono::milliseconds(milliseconds);
}

Status ParseJson(std::string_view json, google::protobuf::Message& message) {
  if (json.empty()) return {};
  if (!IsUtf8(json)) return InvalidArgument("the request is not valid UTF-8");
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      {json.data(), json.size()}, &message, options);
  if (status.ok()) return {};
  return InvalidArgument("the request is no JSON of ",
                         message.GetDescriptor()->full_name(), ": ",
                         status.message().ToString());
}

Expected<std::string> PrintJson(const google::protobuf::Message& message) {
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json);
  if (status.ok()) return json;
  return Internal("cannot print ", message.GetDescriptor()->full_name(), ": ",
                  status.message().ToString());
}

Status ParseMessage(Codec codec, std::string_view bytes,
                    google::protobuf::Message& message) {
  if (codec == Codec::kJson) return ParseJson(bytes, message);
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return {};
  return InvalidArgument("the request is no ",
                         message.GetDescriptor()->full_name());
}

Expected<std::string> PrintMessage(Codec codec,
                                   const google::protobuf::Message& message) {
  if (codec == Codec::kJson) return PrintJson(message);
  return message.SerializeAsString();
}

}  // namespace assay::gateway
