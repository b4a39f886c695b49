#include "services/cli/candidate_session.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

std::string TextAt(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

InvitationLink ParseInvitationLink(std::string_view link) {
  while (!link.empty() && (link.back() == ' ' || link.back() == '\n'))
    link.remove_suffix(1);
  InvitationLink parsed;
  // People paste the whole link; its last part is the secret.
  parsed.secret = link.substr(link.find_last_of("/#=") + 1);
  const auto scheme = link.find("://");
  if (scheme == std::string_view::npos) return parsed;
  parsed.server = link.substr(0, link.find('#'));
  constexpr std::string_view kPage = "/invitation";
  if (parsed.server.ends_with(kPage))
    parsed.server.resize(parsed.server.size() - kPage.size());
  return parsed;
}

fs::path CandidateFile() {
  if (const auto file = Environment("ASSAY_CANDIDATE_FILE"); !file.empty())
    return file;
  if (const auto dir = Environment("XDG_CONFIG_HOME"); !dir.empty())
    return fs::path(dir) / "assay/candidate.json";
  const std::string home = Environment("HOME");
  return fs::path(home.empty() ? "/root" : home) /
         ".config/assay/candidate.json";
}

std::optional<CandidateSession> LoadCandidateSession(const fs::path& file) {
  std::ifstream in(file);
  if (!in) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  CandidateSession session{.server = TextAt(json, "server"),
                           .token = TextAt(json, "token"),
                           .ca_file = TextAt(json, "ca")};
  if (session.server.empty() || session.token.empty()) return std::nullopt;
  return session;
}

Status SaveCandidateSession(const fs::path& file,
                            const CandidateSession& session) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const fs::path draft = file.string() + ".new";
  const mode_t before = umask(077);
  {
    std::ofstream out(draft, std::ios::trunc);
    nlohmann::json json = {{"server", session.server},
                           {"token", session.token}};
    if (!session.ca_file.empty()) json["ca"] = session.ca_file;
    out << json.dump(2) << '\n';
    out.close();
    umask(before);
    if (!out) return SystemError("write " + draft.string(), errno);
  }
  fs::rename(draft, file, error);
  if (error) return SystemError("rename " + draft.string(), error.value());
  return {};
}

}  // namespace assay::cli
