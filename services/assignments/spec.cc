#include "services/assignments/spec.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>

#include "services/assignments/time_zone.h"
#include "services/repositories/subject_pattern.h"
#include "services/rpc/proto_time.h"
#include "services/storage/tables/needs.h"

namespace assay::assignments {
namespace {

using google::protobuf::util::TimeUtil;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kKibibyte = 1'024;
constexpr std::int64_t kMebibyte = 1'024 * kKibibyte;
constexpr std::int64_t kDefaultPushBytes = 64 * kMebibyte;
constexpr std::int64_t kMaxPushBytes = 1'024 * kMebibyte;
constexpr std::size_t kMaxTitle = 200;
constexpr std::size_t kMaxSlug = 40;
constexpr std::size_t kMaxText = 256 * kKibibyte;
constexpr int kMaxFiles = 10'000;
constexpr int kMaxReminders = 5;
constexpr std::int32_t kDefaultRunsAtOnce = 2;
constexpr std::size_t kMaxTreeBytes = 32 * kMebibyte;
constexpr std::size_t kMaxPath = 1'024;

// Characters, not bytes: titles are written in many languages.
std::size_t Length(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(),
                    [](unsigned char byte) { return (byte & 0xc0) != 0x80; }));
}

bool IsPath(const std::string& path) {
  if (path.empty() || path.size() > kMaxPath ||
      path.find('\0') != std::string::npos)
    return false;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part(path.data() + begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part == ".git")
      return false;
    if (end == path.size()) return true;
    begin = end + 1;
  }
}

template <class T>
void CheckDuration(std::vector<std::string>& problems, const T& duration,
                   const char* name, microseconds least, microseconds most) {
  if (rpc::InRange(duration) && rpc::FromProto(duration) >= least &&
      rpc::FromProto(duration) <= most)
    return;
  problems.push_back(
      std::string(name) + " must be from " +
      std::to_string(std::chrono::duration_cast<seconds>(least).count()) +
      "s to " +
      std::to_string(std::chrono::duration_cast<seconds>(most).count()) +
      "s, found " + std::to_string(duration.seconds()) + "s");
}

}  // namespace

v1::AssignmentSpec WithDefaults(v1::AssignmentSpec spec) {
  if (spec.late_policy() == v1::AssignmentSpec::LATE_POLICY_UNSPECIFIED)
    spec.set_late_policy(v1::AssignmentSpec::LATE_POLICY_REJECT);
  if (spec.max_push_bytes() == 0) spec.set_max_push_bytes(kDefaultPushBytes);
  if (spec.time_zone().empty()) spec.set_time_zone("UTC");
  if (!spec.has_push_runs_at_once())
    spec.set_push_runs_at_once(kDefaultRunsAtOnce);
  if (!spec.has_grace()) spec.mutable_grace();
  if (!spec.has_invitation_expiry())
    *spec.mutable_invitation_expiry() = rpc::ToProto(microseconds(days(30)));
  return spec;
}

std::vector<std::string> SpecProblems(const v1::AssignmentSpec& spec) {
  std::vector<std::string> problems;
  const std::size_t title = Length(spec.title());
  if (title < 1 || title > kMaxTitle ||
      spec.title().find('\n') != std::string::npos)
    problems.push_back("title must be one line of 1 to 200 characters, found " +
                       std::to_string(title));
  if (spec.brief().size() > kMaxText)
    problems.push_back("brief may have up to 256 KiB, found " +
                       std::to_string(spec.brief().size() / kKibibyte) +
                       " KiB");
  if (spec.ai_policy().size() > kMaxText)
    problems.push_back("ai_policy may have up to 256 KiB");
  CheckDuration(problems, spec.duration(), "duration", seconds(1), days(366));
  CheckDuration(problems, spec.grace(), "grace", seconds(0), days(7));
  CheckDuration(problems, spec.invitation_expiry(), "invitation_expiry",
                minutes(1), days(366));
  if (spec.has_retention())
    CheckDuration(problems, spec.retention(), "retention", days(1),
                  days(36'600));
  if (spec.reminders_size() > kMaxReminders)
    problems.push_back("reminders may be up to 5 times, found " +
                       std::to_string(spec.reminders_size()));
  for (const auto& reminder : spec.reminders())
    CheckDuration(problems, reminder, "a reminder", minutes(1), days(7));
  if ((spec.has_open_time() && !rpc::InRange(spec.open_time())) ||
      (spec.has_hard_close_time() && !rpc::InRange(spec.hard_close_time())))
    problems.push_back(
        "open_time and hard_close_time must be in years 1 to "
        "9999");
  else if (spec.has_open_time() && spec.has_hard_close_time() &&
           rpc::FromProto(spec.open_time()) >=
               rpc::FromProto(spec.hard_close_time()))
    problems.push_back("hard_close_time must be after open_time, found " +
                       TimeUtil::ToString(spec.hard_close_time()) + " and " +
                       TimeUtil::ToString(spec.open_time()));
  if (!v1::AssignmentSpec::LatePolicy_IsValid(spec.late_policy()))
    problems.push_back("late_policy " + std::to_string(spec.late_policy()) +
                       " is not one that this server knows");
  if (spec.max_push_bytes() < kKibibyte ||
      spec.max_push_bytes() > kMaxPushBytes)
    problems.push_back("max_push_bytes must be from 1 KiB to 1 GiB, found " +
                       std::to_string(spec.max_push_bytes()));
  if (spec.push_runs_per_hour() < 0)
    problems.push_back(
        "push_runs_per_hour must not be negative; 0 is no "
        "limit");
  if (spec.push_runs_at_once() < 0)
    problems.push_back(
        "push_runs_at_once must not be negative; 0 is no "
        "limit");
  if (std::string problem = storage::LabelProblem(
          spec.worker_pool(),
          {spec.worker_labels().begin(), spec.worker_labels().end()});
      !problem.empty())
    problems.push_back("worker: " + problem);
  if (const Status zone = CheckTimeZone(spec.time_zone()); !zone)
    problems.push_back("time_zone: " + zone.error().message);
  if (const auto pattern =
          repositories::SubjectPattern::Compile(spec.commit_subject());
      !pattern)
    problems.push_back("commit_subject: " + pattern.error().message);
  return problems;
}

std::vector<std::string> SlugProblems(std::string_view slug) {
  const bool right =
      !slug.empty() && slug.size() <= kMaxSlug && slug.front() != '-' &&
      slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
          std::string_view::npos;
  if (right) return {};
  return {
      "assignment_id must be 1 to 40 of [a-z0-9-] and not begin with a "
      "dash, found \"" +
      std::string(slug.substr(0, 80)) + "\""};
}

std::vector<std::string> TreeProblems(std::string_view what,
                                      const v1::FileTree& tree) {
  std::vector<std::string> problems;
  const std::string name(what);
  if (tree.files_size() > kMaxFiles) {
    problems.push_back(name + " may have up to 10000 files, found " +
                       std::to_string(tree.files_size()));
    return problems;
  }
  std::size_t bytes = 0;
  std::set<std::string> seen;
  for (const v1::FileTree::File& file : tree.files()) {
    bytes += file.content().size();
    if (!IsPath(file.path()))
      problems.push_back(name + ": \"" + file.path().substr(0, kMaxPath) +
                         "\" is no path inside of it");
    else if (!seen.insert(file.path()).second)
      problems.push_back(name + ": " + file.path() + " occurs twice");
    if (file.mode() != 0100644 && file.mode() != 0100755 &&
        file.mode() != 0120000)
      problems.push_back(name + ": " + file.path() +
                         " is no file, program or symbolic link");
    if (problems.size() >= 20) return problems;
  }
  if (bytes > kMaxTreeBytes)
    problems.push_back(name + " may have up to 32 MiB, found " +
                       std::to_string(bytes / kMebibyte) + " MiB");
  return problems;
}

}  // namespace assay::assignments
