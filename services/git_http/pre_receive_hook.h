#ifndef ASSAY_SERVICES_GIT_HTTP_PRE_RECEIVE_HOOK_H_
#define ASSAY_SERVICES_GIT_HTTP_PRE_RECEIVE_HOOK_H_

#include <filesystem>

#include "proto/base/error.h"

namespace assay::git_http {

// Where git's one hook asks and hears: it writes a line with the path of the
// quarantine, in which git holds what it has received, and reads "go" or
// something else. Between the two nothing has moved, and on anything but "go"
// git throws the quarantine away.
//
// The hook is a shell script of three lines, so that the judging is done here,
// by what knows the assignment and needs no second program to be installed.
inline constexpr int kQuestionFd = 3;
inline constexpr int kAnswerFd = 4;

// Writes the hook into `directory` (for core.hooksPath), which is made.
// kFailedPrecondition: files there cannot be executed, so that git would move
// refs without asking.
Status InstallHook(const std::filesystem::path& directory);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_PRE_RECEIVE_HOOK_H_
