#ifndef ASSAY_SERVICES_REPOSITORIES_RECORDS_H_
#define ASSAY_SERVICES_REPOSITORIES_RECORDS_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "proto/base/clock.h"

namespace assay::repositories {

// Commits are 40 lower-case hex digits everywhere above this folder.

// What a commit says about itself. Names and dates are the author's claims:
// shown, never trusted.
struct CommitInfo {
  std::string commit;
  std::string tree;
  std::vector<std::string> parents;
  // First line of the message, valid UTF-8, at most 200 bytes.
  std::string subject;
  // What follows it, line by line as above, at most 4 KiB.
  std::string body;
  std::string author_name;
  std::string author_email;
  Clock::TimePoint author_time;
  Clock::TimePoint commit_time;
};

// How one file differs between two commits.
struct FileDelta {
  enum class Change { kAdded, kDeleted, kModified, kRenamed };
  Change change = Change::kModified;
  std::string old_path;
  std::string new_path;
  std::uint32_t old_mode = 0;
  std::uint32_t new_mode = 0;
  int added_lines = 0;
  int removed_lines = 0;
  bool binary = false;
  // Unified diff hunks; cut at a line end when `truncated`.
  std::string patch;
  bool truncated = false;
};

struct Diff {
  std::vector<FileDelta> files;
  int added_lines = 0;
  int removed_lines = 0;
  // There were more files than the limit.
  bool truncated = false;
};

// A file that a candidate wrote for people. Its content is theirs, in whatever
// encoding.
struct Note {
  std::string path;
  std::string content;
  // There is more than `content`.
  bool truncated = false;
  // The template has it too, byte for byte.
  bool of_template = false;
};

// A pack file with one commit, its trees and its blobs, and nothing else.
struct Pack {
  std::filesystem::path path;
  // SHA-256 of the file, 64 hex digits.
  std::string digest;
  std::int64_t bytes = 0;
};

// What an author wants of each commit that is pushed.
struct CommitRules {
  // For the first line of its message; see subject_pattern.h. Empty: any.
  std::string subject;
  // No merges, but of what stands on a branch `template-*`.
  bool linear = false;
};

// One ref that exists in a repository.
struct RefTip {
  std::string name;
  std::string commit;
};

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_RECORDS_H_
