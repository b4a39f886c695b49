#include "services/attempts/trial.h"

namespace assay::attempts {

v1::FileTree TrialFiles() {
  v1::FileTree tree;
  v1::FileTree::File& file = *tree.add_files();
  file.set_path("README.md");
  file.set_content(
      "This repository is for trying git before you start.\n"
      "What you push here is thrown away.\n");
  file.set_mode(0100644);
  return tree;
}

}  // namespace assay::attempts
