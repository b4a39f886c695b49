#include "runner/telemetry/otlp_decode.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "proto/base/digest.h"

namespace assay::telemetry {
namespace {

using nlohmann::json;

// Of brackets outside of strings, before anything recurses into them.
bool TooDeep(std::string_view text) {
  // A value is an object within an array within an object of the protocol.
  constexpr int kBrackets = 3 * kExportDepth;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if ((c == '{' || c == '[') && ++depth > kBrackets) return true;
    if (c == '}' || c == ']') --depth;
  }
  return false;
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      word = word << 8 |
             (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j])
                                   : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kDigits[word >> (18 - 6 * j) & 63];
    }
  }
  return out;
}

// OTLP writes ids in hex, of either case, where protobuf's JSON has base64.
void IdsToBase64(json& value) {
  if (value.is_array()) {
    for (json& item : value) IdsToBase64(item);
  }
  if (!value.is_object()) return;
  for (auto& [key, item] : value.items()) {
    const bool id = key == "traceId" || key == "spanId" ||
                    key == "parentSpanId" || key == "trace_id" ||
                    key == "span_id" || key == "parent_span_id";
    if (id && item.is_string()) {
      std::string hex = item.get<std::string>();
      for (char& c : hex) {
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
      }
      item = Base64(FromHex(hex));
    } else {
      IdsToBase64(item);
    }
  }
}

Status DecodeJson(std::string_view body, google::protobuf::Message& out) {
  if (TooDeep(body)) return InvalidArgument("the export is nested too deeply");
  json document = json::parse(body, nullptr, false);
  if (!document.is_object()) {
    return InvalidArgument("the export is not a JSON object");
  }
  IdsToBase64(document);
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      document.dump(-1, ' ', false, json::error_handler_t::replace), &out,
      options);
  if (parsed.ok()) return {};
  return InvalidArgument("the export is not OTLP: ",
                         std::string(parsed.message()));
}

}  // namespace

Expected<std::string> Gunzip(std::string_view bytes, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) {
    return Internal("inflateInit2 failed");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 16'384> piece;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) {
      return InvalidArgument("the export is not gzip, or cut off");
    }
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > limit) {
      return InvalidArgument("the export has more than ", limit,
                             " bytes decompressed");
    }
    if (result == Z_STREAM_END) return out;
  }
}

Status DecodeExport(std::string_view body, OtlpFormat format, bool gzip,
                    google::protobuf::Message& out) {
  std::string plain;
  if (gzip) {
    ASSAY_ASSIGN_OR_RETURN(plain, Gunzip(body, kExportBytes));
    body = plain;
  }
  if (body.size() > kExportBytes) {
    return InvalidArgument("the export has more than ", kExportBytes, " bytes");
  }
  if (format == OtlpFormat::kJson) return DecodeJson(body, out);
  // Says what it makes of bad text on the run's standard error otherwise.
  const google::protobuf::LogSilencer quiet;
  google::protobuf::io::CodedInputStream in(
      reinterpret_cast<const std::uint8_t*>(body.data()),
      static_cast<int>(body.size()));
  in.SetRecursionLimit(3 * kExportDepth);
  if (!out.ParseFromCodedStream(&in) || !in.ConsumedEntireMessage()) {
    return InvalidArgument("the export is not OTLP in protobuf");
  }
  return {};
}

}  // namespace assay::telemetry
