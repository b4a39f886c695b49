// assay-unpack, but that it dies when it is asked for the commit "crash".
#include <signal.h>

#include <string>
#include <vector>

#include "runner/materialise/pack_child.h"

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "crash") raise(SIGTERM);
  return assay::materialise::RunPackChild(arguments);
}
