#include "services/cli/context.h"

#include <cstdlib>
#include <fstream>

#include "services/cli/candidate_session.h"

namespace assay::cli {
namespace {

std::string Environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

std::string FirstOf(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return "";
}

}  // namespace

std::filesystem::path DefaultDataDir() {
  if (const auto dir = Environment("ASSAY_DATA_DIR"); !dir.empty()) return dir;
  if (const auto dir = Environment("XDG_DATA_HOME"); !dir.empty()) {
    return std::filesystem::path(dir) / "assay";
  }
  return std::filesystem::path(FirstOf({Environment("HOME"), "/root"})) /
         ".local/share/assay";
}

std::string FirstLine(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

Server& Context::server() {
  if (server_ == nullptr) {
    const auto& dir = options_.data_dir;
    ServerOptions options;
    options.address =
        FirstOf({options_.server, Environment("ASSAY_SERVER"),
                 FirstLine(dir / kAddressFile),
                 "127.0.0.1:" + std::to_string(kDefaultGrpcPort)});
    options.token = FirstOf({options_.token, Environment("ASSAY_TOKEN"),
                             FirstLine(dir / kAdminTokenFile)});
    options.ca_file = CaFile();
    server_ = std::make_unique<Server>(std::move(options));
  }
  return *server_;
}

std::string Context::CaFile() const {
  const std::string file = FirstOf({options_.ca_file, Environment("ASSAY_CA")});
  return file.empty() ? file : std::filesystem::absolute(file).string();
}

bool Context::HasAddress() const {
  return !options_.server.empty() || !Environment("ASSAY_SERVER").empty();
}

Server& Context::ServerFor(std::string_view attempt) {
  const bool own = attempt == "me" || attempt == "attempts/me";
  const bool is_told =
      !options_.token.empty() || !Environment("ASSAY_TOKEN").empty();
  if (!own || is_told) return server();
  if (candidate_ == nullptr) {
    const auto session = LoadCandidateSession(CandidateFile());
    if (!session) return server();
    candidate_ = std::make_unique<Server>(ServerOptions{
        .address = FirstOf(
            {options_.server, Environment("ASSAY_SERVER"), session->server}),
        .token = session->token,
        .ca_file = FirstOf({CaFile(), session->ca_file})});
  }
  return *candidate_;
}

Server& Context::ServerWithoutToken() {
  const auto session = LoadCandidateSession(CandidateFile());
  ServerOptions options;
  if (!HasAddress() && session)
    options = {.address = session->server, .ca_file = session->ca_file};
  else
    options.address = server().options().address;
  if (!CaFile().empty()) options.ca_file = CaFile();
  candidate_ = std::make_unique<Server>(std::move(options));
  return *candidate_;
}

Server& Context::ServerOfLink(const std::string& url) {
  if (url.empty() || HasAddress()) return server();
  candidate_ = std::make_unique<Server>(
      ServerOptions{.address = url, .ca_file = CaFile()});
  return *candidate_;
}

}  // namespace assay::cli
