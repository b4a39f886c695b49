#ifndef ASSAY_SERVICES_CLI_CANDIDATE_SESSION_H_
#define ASSAY_SERVICES_CLI_CANDIDATE_SESSION_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::cli {

// An invitation's link taken apart. `server` is empty when only the secret was
// given.
struct InvitationLink {
  std::string server;
  std::string secret;
};

// Takes "https://host/invitation#SECRET" or the bare secret.
InvitationLink ParseInvitationLink(std::string_view link);

// What `assay accept` remembers, so that a candidate needs nothing but the
// link, once.
struct CandidateSession {
  std::string server;
  std::string token;
  // Certificates that vouch for the server; empty: the system's.
  std::string ca_file;
};

// `$ASSAY_CANDIDATE_FILE`, or `assay/candidate.json` in `$XDG_CONFIG_HOME` or
// `~/.config`.
std::filesystem::path CandidateFile();

// Absent when there is no file, or it is not one of ours.
std::optional<CandidateSession> LoadCandidateSession(
    const std::filesystem::path& file);
// Mode 0600, in a folder that is made. All or nothing.
Status SaveCandidateSession(const std::filesystem::path& file,
                            const CandidateSession& session);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CANDIDATE_SESSION_H_
