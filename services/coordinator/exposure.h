#ifndef ASSAY_SERVICES_COORDINATOR_EXPOSURE_H_
#define ASSAY_SERVICES_COORDINATOR_EXPOSURE_H_

#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::coordinator {

// Whether only this machine can reach "127.0.0.1:7080". A name counts when it
// is localhost: what others mean may change.
bool IsLoopback(std::string_view address);

// What of an installation can be reached, and how.
struct Exposure {
  std::string grpc_address;
  std::string web_address;
  // Of gRPC without TLS, for programs of this machine; may be empty.
  std::string local_grpc_address;
  // Of the web, as people are told; may be empty.
  std::string public_url;
  std::string certificate;
  std::string key;
  // The operator has said that no TLS is meant.
  bool insecure = false;
};

// kInvalidArgument, in one line with what to do, for what would carry tokens
// over a network in plain text, or contradicts itself.
Status CheckExposure(const Exposure& exposure);

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_EXPOSURE_H_
