// assay-unpack: turns a commit in a pack into a tree archive, for assay-runner.
#include "runner/materialise/pack_child.h"

int main(int argc, char** argv) {
  return assay::materialise::RunPackChild({argv + 1, argv + argc});
}
