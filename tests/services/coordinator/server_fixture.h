#ifndef ASSAY_TESTS_SERVICES_COORDINATOR_SERVER_FIXTURE_H_
#define ASSAY_TESTS_SERVICES_COORDINATOR_SERVER_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "assay/v1/access.pb.h"
#include "assay/v1/assignment_service.grpc.pb.h"
#include "assay/v1/attempt_service.grpc.pb.h"
#include "assay/v1/invitation_service.grpc.pb.h"
#include "assay/v1/submission_service.grpc.pb.h"
#include "services/coordinator/coordinator.h"
#include "tests/services/gateway/strand_thread.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/temporary_directory.h"

namespace assay::testing {

// A candidate who has started: their tokens, and where their repository is.
struct StartedAttempt {
  std::string name;   // attempts/att_...
  std::string token;  // of the API
  std::string git_password;
  std::string clone_url;    // without the password
  std::string private_url;  // with it
  std::string repository;   // rep_...
};

// A whole coordinator in this process, on free ports and a clock that the
// test turns, with clients of its gRPC port. Restart keeps the data.
class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture();
  ~ServerFixture() override;

  void Start();
  void Stop();
  void Restart() {
    Stop();
    Start();
  }

  static std::unique_ptr<grpc::ClientContext> As(const std::string& token);
  std::string AdminToken() const;
  std::string WorkerToken() const;
  // As a coordinator that shares this one's store has it.
  std::string NodeToken() const;
  // A token of any role but a candidate's.
  std::string TokenOf(v1::Role role) const;
  int grpc_port() const { return grpc_port_; }
  int web_port() const { return web_port_; }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  coordinator::Coordinator& coordinator() { return *coordinator_; }
  std::filesystem::path RepositoryPath(const StartedAttempt& attempt) const;

  // Makes the assignment "task": one public check of 5 points and a hidden
  // one of 10, four hours, unless `spec` says otherwise.
  void MakeAssignment(v1::AssignmentSpec spec = {});
  // Invites somebody, accepts and starts for them. Their address is made of
  // their first name.
  StartedAttempt MakeAttempt(const std::string& candidate = "Ada");
  std::vector<v1::Push> Pushes(const StartedAttempt& attempt);

  // Runs git in `directory_` without a configuration of the host; `status`
  // gets its exit code, without it git must succeed. Answers with all output.
  std::string Git(const std::string& arguments, int* status = nullptr);
  // Makes a commit of `file` in the clone "work"; answers with it.
  std::string Commit(const std::string& file, const std::string& content,
                     const std::string& message = "Work");
  void Clone(const StartedAttempt& attempt, const std::string& options = "") {
    Git("clone -q " + options + " " + attempt.private_url + " work");
  }

  ManualClock clock_;
  StrandThread strand_;
  const TemporaryDirectory directory_;
  coordinator::Options options_;

 private:
  std::unique_ptr<coordinator::Coordinator> coordinator_;
  std::shared_ptr<grpc::Channel> channel_;
  int grpc_port_ = 0;
  int web_port_ = 0;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_COORDINATOR_SERVER_FIXTURE_H_
