#ifndef ASSAY_SANDBOX_IMAGE_LAYOUT_H_
#define ASSAY_SANDBOX_IMAGE_LAYOUT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::sandbox {

// What a layout says of one of its blobs.
struct Descriptor {
  std::string media_type;
  // "sha256:" and 64 lower-case hex digits.
  std::string digest;
  std::int64_t bytes = 0;
};

// "LAYOUT" or "LAYOUT:TAG" as after "oci:". The tag is what follows the last
// colon, unless a slash follows it.
struct ImageName {
  std::string layout;
  // Empty: the only image of the layout.
  std::string tag;
};
ImageName ParseImageName(std::string_view text);

// Finds the image that `tag` names in an OCI image layout (`oci-layout`,
// `index.json` and `blobs/sha256`, as skopeo, umoci and buildah write it).
//
// Errors: kNotFound for a layout that lacks one of its files or has no such
// tag (the message lists the tags that there are), kInvalidArgument for one
// whose files do not say what they should.
Expected<Descriptor> FindImage(const std::string& layout, std::string_view tag);

// A small file, not through a link; kNotFound, or kResourceExhausted over
// `most` bytes.
Expected<std::string> ReadBounded(const std::string& path, std::int64_t most);

// More than any real index, manifest or configuration takes.
inline constexpr std::int64_t kMostJsonBytes = 4 << 20;

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_LAYOUT_H_
