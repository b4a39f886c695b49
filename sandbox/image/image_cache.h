#ifndef ASSAY_SANDBOX_IMAGE_IMAGE_CACHE_H_
#define ASSAY_SANDBOX_IMAGE_IMAGE_CACHE_H_

#include <string>
#include <vector>

#include "sandbox/cell/launcher.h"
#include "sandbox/image/layout.h"

namespace assay::sandbox {

// An image that is ready to be the root of cells.
struct ImageRoot {
  // For DirectoryRoot.
  std::string directory;
  // "K=V" lines that the image sets for its programs.
  std::vector<std::string> environment;
};

struct ImageOrder {
  ImageName name;
  // Made if missing; must be the caller's alone.
  std::string cache_dir;
  // The program assay-image.
  std::string program;
};

// Unpacks an image once: the next call for the same digest finds it in the
// cache, whatever layout or tag it is named by. The unpacking runs in a cell of
// `launcher`, so that nothing of an image is read or written with the caller's
// rights but the layout's index.
//
// Errors: FindImage's; kInvalidArgument with what the unpacking says of an
// image that is damaged, too large or hostile. Nothing is left behind then.
Expected<ImageRoot> EnsureImageRoot(Launcher& launcher,
                                    const ImageOrder& order);

// Lines of `defaults` whose names `lines` does not set are added to it.
void AddMissingVariables(std::vector<std::string>& lines,
                         const std::vector<std::string>& defaults);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_IMAGE_IMAGE_CACHE_H_
