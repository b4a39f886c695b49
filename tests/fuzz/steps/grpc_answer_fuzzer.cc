// What a gRPC service answers: frames, descriptions of itself, and messages of
// the types that it described.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/steps/grpc_frames.h"
#include "runner/steps/grpc_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace assay::steps;  // NOLINT
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  DecodeGrpcMessage(bytes);
  (void)ReadReflection(bytes);
  // A trailer's number, whatever it is.
  if (!bytes.empty() && GrpcCodeName(bytes[0]).empty()) abort();
  const auto messages = ReadFrames(bytes);
  if (messages) {
    std::string again;
    for (const std::string& message : *messages) again += FrameMessage(message);
    if (again != bytes) abort();
  }
  GrpcSchema schema;
  if (messages && !messages->empty()) {
    (void)schema.AddDescriptor(messages->front());
  } else {
    (void)schema.AddDescriptor(bytes);
  }
  (void)schema.Missing();
  const auto method = schema.Find("a.B/C");
  if (!method) return 0;
  if (const auto empty = schema.Encode(*(*method)->input_type(), "{}")) {
    (void)schema.Decode(*(*method)->input_type(), *empty);
  }
  (void)schema.Decode(*(*method)->output_type(),
                      messages ? messages->back() : bytes);
  return 0;
}
