#include "services/rpc/method_registry.h"

#include <google/protobuf/descriptor.h>

#include <cstdio>
#include <cstdlib>

namespace assay::rpc {
namespace {

[[noreturn]] void Bug(std::string_view full_name, const char* what) {
  std::fprintf(stderr, "method %.*s: %s\n", static_cast<int>(full_name.size()),
               full_name.data(), what);
  std::abort();
}

const google::protobuf::MethodDescriptor* Describe(std::string_view name) {
  std::string dotted(name);
  if (const auto slash = dotted.find('/'); slash != std::string::npos)
    dotted[slash] = '.';
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      dotted);
}

}  // namespace

const Method* MethodRegistry::Find(std::string_view full_name) const {
  const auto it = methods_.find(full_name);
  return it == methods_.end() ? nullptr : &it->second;
}

void MethodRegistry::Add(std::string_view full_name, Method method,
                         const google::protobuf::Message& request,
                         const google::protobuf::Message& response) {
  const auto* descriptor = Describe(full_name);
  if (descriptor == nullptr) Bug(full_name, "no proto declares it");
  if (descriptor->input_type() != request.GetDescriptor() ||
      descriptor->output_type() != response.GetDescriptor() ||
      descriptor->server_streaming() != method.server_streaming ||
      descriptor->client_streaming())
    Bug(full_name, "the handler's types are not the proto's");
  if (!descriptor->options().HasExtension(v1::access))
    Bug(full_name, "the proto has no access option");
  method.full_name = std::string(full_name);
  method.access = descriptor->options().GetExtension(v1::access);
  method.request_prototype = &request;
  method.response_prototype = &response;
  if (!methods_.emplace(method.full_name, std::move(method)).second)
    Bug(full_name, "registered twice");
}

}  // namespace assay::rpc
