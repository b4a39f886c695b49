#ifndef ASSAY_SERVICES_CLI_EXIT_CODE_H_
#define ASSAY_SERVICES_CLI_EXIT_CODE_H_

#include "proto/base/error.h"

namespace assay::cli {

// What `assay` exits with; docs/man/assay.1 says the same.
enum ExitCode {
  kSuccess = 0,
  // It worked, and the answer is no: a check lost points, a suite has errors.
  kNegative = 1,
  // The command line or a file that it names is wrong; nothing was sent.
  kUsage = 2,
  // The server refused or failed.
  kRefused = 3,
  // No server answered.
  kUnreachable = 4,
  // One of our own programs could not be started, or died.
  kBroken = 5,
  // 128 + SIGINT.
  kInterrupted = 130,
};

// For an Error that came from the server.
inline ExitCode ExitCodeOf(const Error& error) {
  return error.code == Code::kUnavailable ? kUnreachable : kRefused;
}

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_EXIT_CODE_H_
