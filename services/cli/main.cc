#include <unistd.h>

#include <iostream>

#include "services/cli/command_line.h"

int main(int argc, char** argv) {
  using namespace assay::cli;
  Console console(std::cout, std::cerr, DetectLooks(STDOUT_FILENO));
  Context context(console);
  CommandLine line(context);
  const int exit_code = line.Run(argc, argv);
  if (std::cout.good()) return exit_code;
  console.Note("assay: standard output cannot be written; is its disk full?");
  return kBroken;
}
