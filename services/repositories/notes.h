#ifndef ASSAY_SERVICES_REPOSITORIES_NOTES_H_
#define ASSAY_SERVICES_REPOSITORIES_NOTES_H_

#include <git2.h>

#include <cstddef>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "services/repositories/records.h"

namespace assay::repositories {

struct NoteLimits {
  std::size_t max_notes = 10;
  // A longer note is cut at a line's end.
  std::size_t max_bytes = 64 << 10;
  // A larger blob is not read at all.
  std::size_t max_blob_bytes = 4 << 20;
};

// What `commit` holds for people to read: files named DECISIONS, NOTES or
// README, with or without an ending of plain text, at the root and in `docs`.
// Decisions come first. `template_commit` tells which of them are the
// candidate's.
//
// Errors: kNotFound for a commit that is not there.
Expected<std::vector<Note>> ReadNotes(git_repository* repository,
                                      const std::string& template_commit,
                                      const std::string& commit,
                                      const NoteLimits& limits = {});

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_NOTES_H_
