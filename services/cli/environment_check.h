#ifndef ASSAY_SERVICES_CLI_ENVIRONMENT_CHECK_H_
#define ASSAY_SERVICES_CLI_ENVIRONMENT_CHECK_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "services/cli/server.h"

namespace assay::cli {

// One thing that was looked at on a candidate's machine.
struct Finding {
  std::string what;
  bool fine = false;
  std::string text;
};

// "git version 2.39.5" is new enough, which is 2.18 or later: protocol version
// 2, without which a clone of an old git fails in odd ways.
Finding JudgeGitVersion(std::string_view output);

// How far this machine's clock is from the server's. A clock that is off by
// more than a minute makes people misjudge their deadline.
Finding JudgeClock(std::chrono::nanoseconds offset);

// Git's version, the clock, and clone and push of a tiny repository that is
// thrown away. Starts nothing. `attempt` as commands take it.
std::vector<Finding> CheckEnvironment(Server& server,
                                      const std::string& attempt);

std::string ToJson(const std::vector<Finding>& findings);

// The same words as the attempt's page.
inline constexpr const char* kWhatIsRecorded[] = {
    "When you start, push and submit, by the server's clock; commit dates are "
    "shown beside it.",
    "Every commit that you push, with its history; nothing of your machine "
    "beside it.",
    "What your program does while it is graded: requests, responses, database "
    "statements, logs.",
    "Questions that you ask; whoever answers does not learn who asked.",
    "Nothing records your screen, your keyboard or your camera.",
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_ENVIRONMENT_CHECK_H_
