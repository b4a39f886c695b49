#ifndef ASSAY_SANDBOX_IMAGE_UNPACK_H_
#define ASSAY_SANDBOX_IMAGE_UNPACK_H_

#include <string>

#include "proto/base/error.h"
#include "sandbox/cell/unique_fd.h"
#include "sandbox/image/layout.h"
#include "sandbox/image/tree.h"

namespace assay::sandbox {

// Writes the root file system of the image `image` of a layout into `root`, an
// empty directory, layer by layer; every blob's digest is checked. Of an index
// of several platforms the one for Linux on this processor is taken.
//
// Returns the "K=V" lines of environment that the image asks for.
Expected<std::vector<std::string>> UnpackImage(const std::string& layout,
                                               const Descriptor& image,
                                               UniqueFd root,
                                               const ImageLimits& limits);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_UNPACK_H_
