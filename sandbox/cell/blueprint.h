#ifndef ASSAY_SANDBOX_CELL_BLUEPRINT_H_
#define ASSAY_SANDBOX_CELL_BLUEPRINT_H_

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/spec.h"

namespace assay::sandbox {

struct EncodedSession {
  std::string bytes;
  // Borrowed from the spec; the bytes name them by position.
  std::vector<int> fds;
};

// The form in which a SessionSpec travels to the launcher, in a sealed memfd:
// little-endian numbers, strings and lists with a 32-bit count before them.
// kInvalidArgument when the spec breaks a rule of CheckSession.
Expected<EncodedSession> EncodeSession(const SessionSpec& spec);

// The way back: descriptor fields hold positions below `fd_count` (or -1).
// Bounded: every count is checked against what is left of the input before
// anything is allocated. kInvalidArgument for anything else than the output of
// EncodeSession for a spec that CheckSession accepts.
Expected<SessionSpec> DecodeSession(std::string_view bytes, int fd_count);

// The rules of spec.h, with a message that names the part that breaks one.
Status CheckSession(const SessionSpec& spec);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_BLUEPRINT_H_
