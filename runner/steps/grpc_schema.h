#ifndef ASSAY_RUNNER_STEPS_GRPC_SCHEMA_H_
#define ASSAY_RUNNER_STEPS_GRPC_SCHEMA_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"

namespace assay::steps {

// What a gRPC method takes and gives, from a `.proto` of the suite or from what
// a service's reflection says. The latter is a candidate's word: bounded, and
// checked by protobuf as it is linked together.
class GrpcSchema {
 public:
  // Descriptors of a service: files and bytes in all.
  static constexpr std::size_t kMostFiles = 200;
  static constexpr std::size_t kMostBytes = 4 << 20;

  GrpcSchema();
  ~GrpcSchema();

  // Reads a `.proto` of the plan's files, with what it imports.
  Status ReadProto(const assay::plan::v1::Plan& plan, const std::string& path);
  // Adds a serialised FileDescriptorProto.
  Status AddDescriptor(const std::string& bytes);
  // Files that those added import and that are not there.
  std::vector<std::string> Missing() const;

  // `package.Service/Method`. NOT_FOUND with what there is instead.
  Expected<const google::protobuf::MethodDescriptor*> Find(
      const std::string& method);
  // A message from protobuf's JSON form, serialised; and back.
  Expected<std::string> Encode(const google::protobuf::Descriptor& type,
                               const std::string& json);
  Expected<std::string> Decode(const google::protobuf::Descriptor& type,
                               const std::string& bytes);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_GRPC_SCHEMA_H_
