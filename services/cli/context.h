#ifndef ASSAY_SERVICES_CLI_CONTEXT_H_
#define ASSAY_SERVICES_CLI_CONTEXT_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proto/base/error.h"
#include "services/cli/console.h"
#include "services/cli/exit_code.h"
#include "services/cli/server.h"

namespace assay::cli {

// Options that every command takes.
struct GlobalOptions {
  std::string server;
  std::string token;
  std::string ca_file;
  std::filesystem::path data_dir;
  bool json = false;
};

// What a command runs with: its output, the options, and the server, which is
// connected to when a command first asks for it.
//
// Ownership: borrows the console. Threads: one.
class Context {
 public:
  explicit Context(Console& console) : console_(console) {}

  Console& console() { return console_; }
  GlobalOptions& options() { return options_; }

  // From --server, ASSAY_SERVER, the data directory of a running `assay up`,
  // or the default; the token likewise.
  Server& server();
  // For commands about an attempt. "me" is the candidate's own: unless a token
  // was given, the server and the token that `assay accept` has kept.
  Server& ServerFor(std::string_view attempt);
  // For `assay accept`: the server that the link names, unless one was given.
  Server& ServerOfLink(const std::string& url);
  // For candidates who have neither token nor link: the server that is said,
  // or that an `assay accept` has kept.
  Server& ServerWithoutToken();
  // Certificates (PEM) that vouch for servers, absolute: --ca or ASSAY_CA;
  // empty: the system's.
  std::string CaFile() const;
  // Whether --server or ASSAY_SERVER says where the server is.
  bool HasAddress() const;

 private:
  Console& console_;
  GlobalOptions options_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Server> candidate_;
};

// What a command comes to: an exit code, or an Error that main prints.
using Outcome = Expected<ExitCode>;
using Action = std::function<Outcome(Context&)>;

// `$ASSAY_DATA_DIR`, or `assay` in `$XDG_DATA_HOME` or `~/.local/share`.
std::filesystem::path DefaultDataDir();

inline constexpr int kDefaultGrpcPort = 7070;
inline constexpr int kDefaultWebPort = 7080;
// Files of the data directory that the command line reads.
inline constexpr char kAdminTokenFile[] = "admin.token";
inline constexpr char kAddressFile[] = "grpc.address";

// First line of `file` without the line break; empty where there is none.
std::string FirstLine(const std::filesystem::path& file);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CONTEXT_H_
