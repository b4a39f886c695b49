#ifndef ASSAY_SERVICES_NODES_BUNDLE_SEAL_H_
#define ASSAY_SERVICES_NODES_BUNDLE_SEAL_H_

#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::nodes {

// Bundles lie in the blob store, where nothing is removed for each candidate:
// they are sealed with a key that stands in the repository's row, and nobody
// can read one once the row is gone (libsodium's secretbox).

// A new key, as text.
std::string MakeBundleKey();
std::string SealBundle(const std::string& bundle, const std::string& key);
// kDataLoss: it was sealed with another key, or is damaged.
Expected<std::string> OpenBundle(const std::string& sealed,
                                 const std::string& key);

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_BUNDLE_SEAL_H_
