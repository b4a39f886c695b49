#ifndef ASSAY_RUNNER_STEPS_GRPC_FRAMES_H_
#define ASSAY_RUNNER_STEPS_GRPC_FRAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

// gRPC's messages in an HTTP/2 body, and the few messages of its reflection
// service: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
namespace assay::steps {

// One message with its prefix.
std::string FrameMessage(std::string_view message);
// The messages of a body. INVALID_ARGUMENT: it is cut off, or compressed,
// which nobody asked for.
Expected<std::vector<std::string>> ReadFrames(std::string_view body);

// A ServerReflectionRequest for the file that holds a symbol, or of that name.
std::string AskForSymbol(std::string_view symbol);
std::string AskForFile(std::string_view name);
// The serialised FileDescriptorProtos of a ServerReflectionResponse; its error,
// if it is one.
Expected<std::vector<std::string>> ReadReflection(const std::string& response);

// "NOT_FOUND" for 5; "CODE 99" for what has no name.
std::string GrpcCodeName(int code);
// Undoes the percent encoding of `grpc-message`.
std::string DecodeGrpcMessage(std::string_view text);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_GRPC_FRAMES_H_
