// What assay-runner's hidden subcommand does, without the rest of it. With
// ASSAY_TEST_CHILD in its arguments' commit it misbehaves instead.
#include <signal.h>

#include <string>
#include <vector>

#include "runner/materialise/pack_child.h"

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 2, argv + argc);
  if (!arguments.empty() && arguments[0] == "crash") raise(SIGSEGV);
  return assay::materialise::RunPackChild(arguments);
}
