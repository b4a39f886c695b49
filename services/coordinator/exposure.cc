#include "services/coordinator/exposure.h"

#include <arpa/inet.h>

namespace assay::coordinator {

bool IsLoopback(std::string_view address) {
  std::string host(address.substr(0, address.rfind(':')));
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  if (host == "localhost") return true;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1)
    return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&six);
}

Status CheckExposure(const Exposure& exposure) {
  if (exposure.certificate.empty() != exposure.key.empty())
    return InvalidArgument("--tls-cert and --tls-key go together: ",
                           exposure.key.empty() ? "--tls-key" : "--tls-cert",
                           " is missing");
  if (!exposure.local_grpc_address.empty() &&
      !IsLoopback(exposure.local_grpc_address))
    return InvalidArgument(
        "--local-grpc is without TLS: expected an address "
        "like 127.0.0.1:0, found ",
        exposure.local_grpc_address);
  if (!exposure.certificate.empty()) {
    if (exposure.public_url.starts_with("http://"))
      return InvalidArgument("the web port speaks TLS, and --public-url is ",
                             exposure.public_url,
                             ": write https:// in its place");
    return {};
  }
  if (exposure.insecure) return {};
  for (const std::string& address :
       {exposure.grpc_address, exposure.web_address})
    if (!IsLoopback(address))
      return InvalidArgument(
          address,
          " can be reached from other machines, and would carry tokens and "
          "passwords in plain text: give --tls-cert FILE and --tls-key FILE, "
          "or --insecure where something in front of it speaks TLS");
  return {};
}

}  // namespace assay::coordinator
