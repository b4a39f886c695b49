#ifndef ASSAY_SERVICES_NODES_PEER_ROOTS_H_
#define ASSAY_SERVICES_NODES_PEER_ROOTS_H_

#include <string>

#include "proto/base/error.h"

namespace assay::nodes {

// The certificates (PEM) by which a node trusts the others over TLS: those of
// `ca_file`, and no others. Where that is empty, the node's own chain, which
// does where all have one certificate or one intermediate authority, and what
// the system trusts.
//
// kInvalidArgument: the file cannot be read, or holds no certificate.
Expected<std::string> PeerRoots(const std::string& ca_file,
                                const std::string& own_chain);

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_PEER_ROOTS_H_
