#include "services/cli/environment_check.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/child.h"
#include "services/cli/git_clone.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using Stub = v1::AttemptService::Stub;
using std::chrono::nanoseconds;

constexpr int kOldestMajor = 2;
constexpr int kOldestMinor = 18;
constexpr nanoseconds kMostSkew = std::chrono::seconds(60);

// A folder that goes when the check is over.
class Scratch {
 public:
  Scratch()
      : path_(fs::temp_directory_path() / ("assay-check-" + RandomToken())) {
    fs::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Finding CheckGit() {
  const auto version = Capture({"git", "--version"});
  if (!version) return {"git", false, version.error().message};
  return JudgeGitVersion(version->output);
}

Finding CheckClock(Server& server, const std::string& attempt) {
  const auto now = [] {
    return std::chrono::duration_cast<nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch());
  };
  v1::GetAttemptRequest request;
  request.set_name(FullName("attempts", attempt));
  const nanoseconds before = now();
  const auto response = server.Call(&Stub::GetAttempt, request);
  if (!response) return {"server", false, response.error().message};
  // The server looked at its clock about half way.
  const nanoseconds ours = before + (now() - before) / 2;
  return JudgeClock(ours - FromProto(response->server_time()));
}

std::string LastLine(const std::string& text) {
  return text.substr(text.find_last_of('\n') + 1);
}

Finding CheckPush(const fs::path& dir) {
  const std::vector<std::vector<std::string>> commands = {
      {"git", "-C", dir.string(), "-c", "user.name=Assay check", "-c",
       "user.email=check@localhost", "commit", "--quiet", "--allow-empty", "-m",
       "check"},
      {"git", "-C", dir.string(), "push", "--quiet", "origin", "HEAD"}};
  for (const auto& command : commands) {
    const auto done = Capture(command, {{"GIT_TERMINAL_PROMPT", "0"}});
    if (!done) return {"push", false, done.error().message};
    if (done->exit_code != 0) return {"push", false, LastLine(done->output)};
  }
  return {"push", true, "a commit arrived, and was thrown away"};
}

void CheckRepository(Server& server, const std::string& attempt,
                     std::vector<Finding>& findings) {
  v1::CreateTrialTokenRequest request;
  request.set_name(FullName("attempts", attempt));
  const auto token = server.Call(&Stub::CreateTrialToken, request);
  if (!token) {
    findings.push_back({"clone", false, token.error().message});
    return;
  }
  const Scratch scratch;
  const auto cloned =
      CloneRepository({.url = token->clone_url(),
                       .username = token->username(),
                       .password = token->password(),
                       .ca_file = server.options().ca_file},
                      scratch.path() / "trial", Quietness::kSayNothing);
  if (!cloned || *cloned != 0) {
    findings.push_back({"clone", false,
                        cloned ? fmt::format("git ended with {}", *cloned)
                               : cloned.error().message});
    return;
  }
  findings.push_back({"clone", true, token->clone_url()});
  findings.push_back(CheckPush(scratch.path() / "trial"));
}

}  // namespace

Finding JudgeGitVersion(std::string_view output) {
  const auto digit = output.find_first_of("0123456789");
  if (digit == std::string_view::npos)
    return {"git", false, "git does not say its version"};
  const std::string_view version = output.substr(digit);
  int major = 0;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto read = std::from_chars(version.data(), end, major);
  if (read.ptr != end && *read.ptr == '.')
    std::from_chars(read.ptr + 1, end, minor);
  const bool fine =
      major > kOldestMajor || (major == kOldestMajor && minor >= kOldestMinor);
  std::string text(output.substr(0, output.find('\n')));
  if (!fine)
    text +=
        fmt::format("; {}.{} or newer is needed", kOldestMajor, kOldestMinor);
  return {"git", fine, std::move(text)};
}

Finding JudgeClock(nanoseconds offset) {
  const nanoseconds size = offset < nanoseconds(0) ? -offset : offset;
  if (size <= std::chrono::seconds(2))
    return {"clock", true, "agrees with the server's"};
  return {"clock", size <= kMostSkew,
          DurationText(std::chrono::duration_cast<std::chrono::seconds>(size)) +
              (offset.count() > 0 ? " ahead of" : " behind") +
              " the server's, which decides"};
}

std::vector<Finding> CheckEnvironment(Server& server,
                                      const std::string& attempt) {
  std::vector<Finding> findings = {CheckGit(), CheckClock(server, attempt)};
  const bool reachable = findings.back().what == "clock";
  if (findings.front().fine && reachable)
    CheckRepository(server, attempt, findings);
  return findings;
}

std::string ToJson(const std::vector<Finding>& findings) {
  auto list = nlohmann::json::array();
  for (const Finding& finding : findings)
    list.push_back({{"check", finding.what},
                    {"ok", finding.fine},
                    {"found", finding.text}});
  return nlohmann::json({{"findings", list}}).dump();
}

}  // namespace assay::cli
