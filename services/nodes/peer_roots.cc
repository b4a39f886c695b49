#include "services/nodes/peer_roots.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <iterator>
#include <memory>

namespace assay::nodes {
namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

struct Freer {
  void operator()(BIO* it) const { BIO_free(it); }
  void operator()(X509* it) const { X509_free(it); }
};

std::string TextOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// gRPC would take the file, and refuse every node later.
bool HoldsCertificate(const std::string& pem) {
  const std::unique_ptr<BIO, Freer> reader(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<X509, Freer> first(
      PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return first != nullptr;
}

}  // namespace

Expected<std::string> PeerRoots(const std::string& ca_file,
                                const std::string& own_chain) {
  if (ca_file.empty()) return own_chain + "\n" + TextOf(kSystemAuthorities);
  std::string roots = TextOf(ca_file);
  if (!HoldsCertificate(roots))
    return InvalidArgument("the file ", ca_file,
                           " of --node-ca holds no certificates in PEM that "
                           "the other coordinators could be trusted by");
  return roots;
}

}  // namespace assay::nodes
