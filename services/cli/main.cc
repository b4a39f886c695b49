#include <unistd.h>

#include <iostream>

#include "services/cli/command_line.h"

int main(int argc, char** argv) {
  using namespace assay::cli;
  Console console(std::cout, std::cerr, DetectLooks(STDOUT_FILENO));
  Context context(console);
  CommandLine line(context);
  return line.Run(argc, argv);
}
