#ifndef ASSAY_SANDBOX_IMAGE_BLOB_H_
#define ASSAY_SANDBOX_IMAGE_BLOB_H_

#include <sodium.h>

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/image/layout.h"

namespace assay::sandbox {

// Reads one blob of a layout from its start, and knows at the end whether it
// was what its descriptor says.
class BlobReader {
 public:
  // kNotFound where the layout lacks it, kDataLoss for a wrong size.
  static Expected<BlobReader> Open(const std::string& layout,
                                   const Descriptor& descriptor);

  // The next bytes, valid until the next call; empty at the end.
  Expected<std::string_view> Read();
  // Reads what is left. kDataLoss if the whole has another digest.
  Status Verify();

 private:
  BlobReader(UniqueFd fd, Descriptor descriptor);

  UniqueFd fd_;
  Descriptor descriptor_;
  std::vector<char> buffer_;
  crypto_hash_sha256_state hash_;
};

// A small blob as a whole, verified.
Expected<std::string> ReadBlob(const std::string& layout,
                               const Descriptor& descriptor);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_BLOB_H_
