#include "tests/services/coordinator/server_fixture.h"

#include <array>
#include <cstdio>
#include <fstream>

#include "assay/v1/system_service.grpc.pb.h"
#include "services/identity/identity.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/testing/event_loop.h"

namespace assay::testing {
namespace {

constexpr const char* kSuite = R"(version: 1
name: Task
limits: { run: 60s, check: 10s, request: 5s }
service:
  start: { run: ./run }
  ready: { get: /, within: 10s }
checks:
  - id: seen
    title: Greets
    points: 5
    visibility: public
    steps:
      - get: /
        expect: { status: 200 }
  - id: unseen
    title: Holds a secret canary
    points: 10
    visibility: hidden
    steps:
      - get: /canary
        expect: { status: 200 }
)";

void AddFile(v1::FileTree& tree, const char* path, const char* content) {
  v1::FileTree::File& file = *tree.add_files();
  file.set_path(path);
  file.set_mode(0100644);
  file.set_content(content);
}

std::string ReadLine(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void ExpectOk(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

}  // namespace

ServerFixture::ServerFixture() {
  options_.data_dir = directory_.path() / "data";
  options_.grpc_address = "127.0.0.1:0";
  options_.web_address = "127.0.0.1:0";
  options_.grace = std::chrono::seconds(5);
  options_.password_cost = {.operations = 1, .memory_bytes = 8 << 10};
  // Without a worker nothing comes; nobody waits for it.
  options_.push_stay = std::chrono::milliseconds(20);
  Start();
}

ServerFixture::~ServerFixture() { Stop(); }

void ServerFixture::Start() {
  auto started = strand_.Await(
      coordinator::Coordinator::Start(strand_.executor(), clock_, options_));
  if (!started) throw std::runtime_error(started.error().message);
  coordinator_ = *std::move(started);
  grpc_port_ = strand_.Run([this] { return coordinator_->grpc_port(); });
  web_port_ = strand_.Run([this] { return coordinator_->web_port(); });
  // A restart is found where the first start was.
  options_.grpc_address = "127.0.0.1:" + std::to_string(grpc_port_);
  options_.web_address = "127.0.0.1:" + std::to_string(web_port_);
  channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(grpc_port_),
                                 grpc::InsecureChannelCredentials());
}

void ServerFixture::Stop() {
  if (!coordinator_) return;
  channel_.reset();
  strand_.Await(coordinator_->Stop());
  strand_.Run([this] { coordinator_.reset(); });
}

std::unique_ptr<grpc::ClientContext> ServerFixture::As(
    const std::string& token) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(30));
  context->set_wait_for_ready(true);
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
  return context;
}

std::string ServerFixture::AdminToken() const {
  return ReadLine(options_.data_dir / "admin.token");
}
std::string ServerFixture::WorkerToken() const {
  return ReadLine(options_.data_dir / "worker.token");
}

std::string ServerFixture::NodeToken() const {
  EventLoop loop;
  const auto store = *storage::OpenSqlite(options_.data_dir / "store.db");
  identity::Identity identity(*store, clock_);
  return loop.Await(identity.CreateNodeToken("nodes/other"))->secret;
}

std::string ServerFixture::TokenOf(v1::Role role) const {
  if (role == v1::ROLE_NODE) return NodeToken();
  v1::CreateTokenRequest request;
  request.set_role(role);
  request.set_label("test");
  v1::CreateTokenResponse response;
  ExpectOk(v1::SystemService::NewStub(channel_)->CreateToken(
      As(AdminToken()).get(), request, &response));
  return response.token();
}

std::filesystem::path ServerFixture::RepositoryPath(
    const StartedAttempt& attempt) const {
  return options_.data_dir / "repositories/attempts" /
         (attempt.repository + ".git");
}

void ServerFixture::MakeAssignment(v1::AssignmentSpec spec) {
  v1::CreateAssignmentRequest request;
  request.set_assignment_id("task");
  if (spec.title().empty()) spec.set_title("Task");
  if (!spec.has_duration()) spec.mutable_duration()->set_seconds(4 * 3600);
  *request.mutable_spec() = std::move(spec);
  AddFile(*request.mutable_template_(), "README.md", "Greet.\n");
  AddFile(*request.mutable_template_(), "run", "#!/bin/sh\n");
  AddFile(*request.mutable_suite(), "assay.yaml", kSuite);
  v1::CreateAssignmentResponse response;
  ExpectOk(v1::AssignmentService::NewStub(channel_)->CreateAssignment(
      As(AdminToken()).get(), request, &response));
}

StartedAttempt ServerFixture::MakeAttempt(const std::string& candidate) {
  const auto invitations = v1::InvitationService::NewStub(channel_);
  const auto attempts = v1::AttemptService::NewStub(channel_);
  v1::CreateInvitationRequest invite;
  invite.set_assignment("assignments/task");
  invite.set_candidate_name(candidate);
  invite.set_candidate_email(candidate.substr(0, candidate.find(' ')) +
                             "@example.test");
  v1::CreateInvitationResponse invited;
  ExpectOk(
      invitations->CreateInvitation(As(AdminToken()).get(), invite, &invited));
  v1::AcceptInvitationRequest accept;
  accept.set_secret(invited.secret());
  v1::AcceptInvitationResponse accepted;
  ExpectOk(invitations->AcceptInvitation(As("").get(), accept, &accepted));

  StartedAttempt attempt{.name = accepted.attempt().name(),
                         .token = accepted.token()};
  v1::StartAttemptRequest start;
  start.set_name(attempt.name);
  v1::StartAttemptResponse started;
  ExpectOk(attempts->StartAttempt(As(attempt.token).get(), start, &started));
  v1::CreateGitTokenRequest ask;
  ask.set_name(attempt.name);
  v1::CreateGitTokenResponse git;
  ExpectOk(attempts->CreateGitToken(As(attempt.token).get(), ask, &git));
  attempt.git_password = git.password();
  attempt.clone_url = git.clone_url();
  attempt.private_url = attempt.clone_url;
  attempt.private_url.insert(7, git.username() + ":" + git.password() + "@");
  const std::size_t id = attempt.clone_url.find("rep_");
  attempt.repository = attempt.clone_url.substr(id, 24);
  return attempt;
}

std::vector<v1::Push> ServerFixture::Pushes(const StartedAttempt& attempt) {
  v1::ListPushesRequest request;
  request.set_attempt(attempt.name);
  v1::ListPushesResponse response;
  ExpectOk(v1::AttemptService::NewStub(channel_)->ListPushes(
      As(attempt.token).get(), request, &response));
  return {response.pushes().begin(), response.pushes().end()};
}

std::string ServerFixture::Git(const std::string& arguments, int* status) {
  const std::string command =
      "cd " + directory_.path().string() +
      " && HOME=" + directory_.path().string() +
      " GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1"
      " GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=true GIT_AUTHOR_NAME=Ada"
      " GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=a@x"
      " timeout 60 git " +
      arguments + " 2>&1";
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), n);
  const int code = pclose(pipe);
  if (status != nullptr)
    *status = code;
  else
    EXPECT_EQ(code, 0) << arguments << "\n" << output;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

std::string ServerFixture::Commit(const std::string& file,
                                  const std::string& content,
                                  const std::string& message) {
  const auto path = directory_.path() / "work" / file;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  Git("-C work add -A");
  Git("-C work commit -q -m '" + message + "'");
  return Git("-C work rev-parse HEAD");
}

}  // namespace assay::testing
