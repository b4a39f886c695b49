#ifndef ASSAY_SERVICES_CLI_GIT_CLONE_H_
#define ASSAY_SERVICES_CLI_GIT_CLONE_H_

#include <filesystem>
#include <string>

#include "proto/base/error.h"

namespace assay::cli {

struct GitAccess {
  std::string url;
  std::string username;
  std::string password;
  // Certificates that vouch for the server, absolute; empty: the system's.
  std::string ca_file;
};

enum class Quietness { kSayAll, kSayNothing };

// Clones by stock git into `dir`, which must be new or empty, and answers with
// git's exit code. The password is in a file of mode 0600 inside `.git`, never
// in a URL or in `.git/config`, and later pushes find it by themselves.
Expected<int> CloneRepository(const GitAccess& access,
                              const std::filesystem::path& dir,
                              Quietness quietness);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_GIT_CLONE_H_
