#ifndef ASSAY_TESTS_SERVICES_INSTALLATION_INSTALLATION_H_
#define ASSAY_TESTS_SERVICES_INSTALLATION_INSTALLATION_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/attempt.pb.h"
#include "services/assignments/assignment_service.h"
#include "services/assignments/suite_service.h"
#include "services/attempts/attempt_service.h"
#include "services/attempts/clock_service.h"
#include "services/attempts/decision_service.h"
#include "services/attempts/invitation_service.h"
#include "services/attempts/lost_link_service.h"
#include "services/attempts/push_recorder.h"
#include "services/attempts/question_service.h"
#include "services/attempts/records_service.h"
#include "services/attempts/reference_service.h"
#include "services/attempts/version_service.h"
#include "services/deadlines/deadlines.h"
#include "services/identity/account_service.h"
#include "services/identity/identity.h"
#include "services/overview/overview_service.h"
#include "services/rpc/method_registry.h"
#include "services/runs/plan_cache.h"
#include "services/runs/run_feed.h"
#include "services/runs/run_queue.h"
#include "services/runs/run_reader.h"
#include "services/runs/run_service.h"
#include "services/storage/blobs/blob_store.h"
#include "services/storage/store.h"
#include "services/submissions/receipt_service.h"
#include "services/submissions/submission_refs.h"
#include "services/submissions/submission_service.h"
#include "services/system/system_service.h"
#include "services/traces/trace_service.h"
#include "services/workers/worker_service.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::testing {

// The repositories, as far as the services know them: remembers what was made.
struct FakeRepositories {
  // By template commit: how often it was asked for.
  std::map<std::string, int> templates;
  std::map<RepositoryId, std::string> repositories;  // to template commit
  std::map<std::pair<RepositoryId, int>, std::string> submission_refs;
  std::map<std::pair<RepositoryId, std::string>, std::string> branches;
  // What the next call fails with.
  std::optional<Error> failure;

  rpc::Async<std::string> CreateTemplate(v1::FileTree tree);
  rpc::Async<void> CreateRepository(RepositoryId id, std::string commit);
  rpc::Async<void> RemoveRepository(RepositoryId id);
  rpc::Async<std::string> WriteOffer(RepositoryId id, std::string base,
                                     std::string offered);
  rpc::Async<void> WriteBranch(RepositoryId id, std::string branch,
                               std::string commit);
  rpc::Async<void> WriteRef(RepositoryId id, std::int32_t number,
                            std::string commit);
};

// A coordinator without its network: every service over a real store in a
// temporary directory, called as the gateway calls them, with a clock that
// stands still.
class Installation {
 public:
  Installation();
  ~Installation();

  // Throws away all that is in memory and opens the store again, as after a
  // kill.
  void Restart();

  // Calls a method as `caller`; the role must be one that the proto admits.
  template <class Response, class Request>
  Expected<Response> Call(const rpc::Caller& caller, const std::string& method,
                          const Request& request) {
    auto response =
        CallErased(caller, method, std::make_unique<Request>(request));
    if (!response) return std::unexpected(std::move(response).error());
    return std::move(static_cast<Response&>(**response));
  }

  template <class Closure>
  auto Write(Closure closure) {
    return loop.Await(parts().store->Write(std::move(closure)));
  }
  template <class Closure>
  auto Read(Closure closure) {
    return loop.Await(parts().store->Read(std::move(closure)));
  }

  // An assignment of an hour with the given plan, called "orders".
  v1::Assignment MakeAssignment(v1::AssignmentSpec spec = SomeSpec(),
                                plan::v1::Plan plan = SomePlan());
  // A candidate who has accepted; the clock stands.
  rpc::Caller Accept(const std::string& assignment = "assignments/orders");
  // ... and who has started.
  rpc::Caller Begin(const std::string& assignment = "assignments/orders");

  v1::Attempt GetAttempt(const rpc::Caller& candidate);
  RepositoryId RepositoryOf(const rpc::Caller& candidate);
  // A push that arrived now, recorded and confirmed. The commit is 40 times
  // `digit`.
  attempts::ConfirmedPush Push(const rpc::Caller& candidate, char digit);
  attempts::PushIntent Intent(const rpc::Caller& candidate, char digit);

  static v1::AssignmentSpec SomeSpec();
  // Checks "open" (public, 10 points), "secret" (hidden, 20 points, revealed
  // in full at the deadline) and "never" (hidden, 30 points).
  static plan::v1::Plan SomePlan();
  static v1::FileTree SomeTree();
  static rpc::Caller Admin();
  static rpc::Caller As(v1::Role role);

  // What a coordinator is made of, in the order of making.
  struct Parts {
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<storage::BlobStore> blobs;
    std::unique_ptr<identity::Identity> identity;
    std::unique_ptr<runs::RunFeed> feed;
    std::unique_ptr<runs::PlanCache> plans;
    std::unique_ptr<runs::RunQueue> queue;
    std::unique_ptr<runs::RunReader> reader;
    std::unique_ptr<runs::RunService> run_service;
    std::unique_ptr<submissions::SubmissionRefs> refs;
    std::unique_ptr<submissions::SubmissionService> submission_service;
    std::unique_ptr<attempts::PushRecorder> pushes;
    std::unique_ptr<attempts::AttemptService> attempt_service;
    std::unique_ptr<attempts::ClockService> clock_service;
    std::unique_ptr<attempts::RecordsService> records_service;
    std::unique_ptr<attempts::VersionService> version_service;
    std::unique_ptr<attempts::ReferenceService> reference_service;
    std::unique_ptr<attempts::QuestionService> question_service;
    std::unique_ptr<attempts::DecisionService> decision_service;
    std::unique_ptr<submissions::ReceiptSigner> signer;
    std::unique_ptr<submissions::ReceiptService> receipt_service;
    std::unique_ptr<attempts::InvitationService> invitation_service;
    std::unique_ptr<attempts::LostLinkService> lost_link_service;
    std::unique_ptr<assignments::AssignmentService> assignment_service;
    std::unique_ptr<assignments::SuiteService> suite_service;
    std::unique_ptr<deadlines::Deadlines> deadlines;
    std::unique_ptr<traces::TraceService> trace_service;
    std::unique_ptr<system::SystemService> system_service;
    std::unique_ptr<workers::WorkerService> worker_service;
    std::unique_ptr<identity::AccountService> account_service;
    std::unique_ptr<overview::OverviewService> overview_service;
    rpc::MethodRegistry registry;
  };
  Parts& parts() { return *parts_; }

  // What WorkerService is told of attached workers, and what it told of them.
  std::vector<workers::AttachedWorker> attached_workers;
  std::vector<storage::WorkerRecord> changed_workers;

  TemporaryDirectory directory;
  ManualClock clock;
  // Who is attached, for the queue: two slots that take anything.
  overview::WorkerOffers workers{.slots = 2, .offers = {runs::Room().offer}};
  EventLoop loop;
  FakeRepositories repositories;
  int clock_changes = 0;

 private:
  Expected<std::unique_ptr<google::protobuf::Message>> CallErased(
      const rpc::Caller& caller, const std::string& method,
      std::unique_ptr<google::protobuf::Message> request);

  // What the next suite compiles to.
  plan::v1::Plan next_plan_;
  std::unique_ptr<Parts> parts_;
};

// A test of services on an installation with one assignment.
class ServiceTest : public ::testing::Test {
 protected:
  Installation assay_;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_INSTALLATION_INSTALLATION_H_
