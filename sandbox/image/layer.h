#ifndef ASSAY_SANDBOX_IMAGE_LAYER_H_
#define ASSAY_SANDBOX_IMAGE_LAYER_H_

#include <functional>
#include <string_view>

#include "proto/base/error.h"
#include "sandbox/image/tree.h"

namespace assay::sandbox {

enum class Compression { kNone, kGzip, kZstd };

// The next bytes of a layer, valid until the next call; empty at the end.
using ByteSource = std::function<Expected<std::string_view>()>;

// Applies one layer, a tar archive, to what the layers below it have left:
// entries are added or replaced, whiteouts (".wh.NAME", ".wh..wh..opq") remove
// what came from below. Owners, times, extended attributes and set-id bits are
// not taken over.
//
// Errors: kInvalidArgument for what is no tar archive, and for entries that no
// image needs: absolute paths, "..", devices, FIFOs, sockets.
Status ApplyLayer(const ByteSource& source, Compression compression,
                  Tree& tree);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_LAYER_H_
