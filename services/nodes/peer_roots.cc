#include "services/nodes/peer_roots.h"

#include <fstream>
#include <iterator>

#include "proto/base/pem.h"

namespace assay::nodes {
namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

std::string TextOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Expected<std::string> PeerRoots(const std::string& ca_file,
                                const std::string& own_chain) {
  if (ca_file.empty()) return own_chain + "\n" + TextOf(kSystemAuthorities);
  std::string roots = TextOf(ca_file);
  // gRPC would take the file, and refuse every node later.
  if (pem::ReadCertificate(roots) == nullptr)
    return InvalidArgument("the file ", ca_file,
                           " of --node-ca holds no certificates in PEM that "
                           "the other coordinators could be trusted by");
  return roots;
}

}  // namespace assay::nodes
