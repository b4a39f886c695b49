#include "tests/services/installation/installation.h"

#include <algorithm>
#include <stdexcept>

#include "assay/v1/assignment_service.pb.h"
#include "assay/v1/attempt_service.pb.h"
#include "assay/v1/invitation_service.pb.h"
#include "proto/base/digest.h"
#include "services/rpc/proto_time.h"
#include "services/storage/blobs/local.h"
#include "services/storage/sqlite/sqlite_store.h"

namespace assay::testing {
namespace {

constexpr char kBaseUrl[] = "http://assay.test";

plan::v1::Check* AddCheck(plan::v1::Plan& plan, const char* id, double points,
                          bool hidden) {
  plan::v1::Check* check = plan.add_checks();
  check->set_id(id);
  check->set_title(std::string("Check ") + id);
  check->set_points(points);
  check->set_hidden(hidden);
  return check;
}

}  // namespace

rpc::Async<std::string> FakeRepositories::CreateTemplate(v1::FileTree tree) {
  if (failure) co_return std::unexpected(*std::exchange(failure, {}));
  const std::string commit = Sha256Hex(tree.SerializeAsString()).substr(0, 40);
  ++templates[commit];
  co_return commit;
}

rpc::Async<void> FakeRepositories::CreateRepository(RepositoryId id,
                                                    std::string commit) {
  if (failure) co_return std::unexpected(*std::exchange(failure, {}));
  repositories[id] = commit;
  co_return Status();
}

rpc::Async<void> FakeRepositories::RemoveRepository(RepositoryId id) {
  if (failure) co_return std::unexpected(*std::exchange(failure, {}));
  repositories.erase(id);
  co_return Status();
}

rpc::Async<std::string> FakeRepositories::WriteOffer(RepositoryId id,
                                                     std::string base,
                                                     std::string offered) {
  if (failure) co_return std::unexpected(*std::exchange(failure, {}));
  co_return Sha256Hex(base + offered).substr(0, 40);
}

rpc::Async<void> FakeRepositories::WriteBranch(RepositoryId id,
                                               std::string branch,
                                               std::string commit) {
  if (failure) co_return std::unexpected(*std::exchange(failure, {}));
  branches[{id, branch}] = commit;
  co_return Status();
}

rpc::Async<void> FakeRepositories::WriteRef(RepositoryId id,
                                            std::int32_t number,
                                            std::string commit) {
  if (failure) co_return std::unexpected(*std::exchange(failure, {}));
  submission_refs[{id, number}] = commit;
  co_return Status();
}

Installation::Installation() : next_plan_(SomePlan()) { Restart(); }
Installation::~Installation() = default;

void Installation::Restart() {
  parts_.reset();
  parts_ = std::make_unique<Parts>();
  Parts& p = *parts_;
  p.store = storage::OpenSqlite(directory.path() / "store.db").value();
  p.blobs = storage::OpenLocalBlobs(directory.path() / "blobs").value();
  p.identity = std::make_unique<identity::Identity>(*p.store, clock);
  p.feed = std::make_unique<runs::RunFeed>(loop.executor());
  p.plans = std::make_unique<runs::PlanCache>(*p.blobs);
  p.queue =
      std::make_unique<runs::RunQueue>(*p.store, *p.plans, *p.feed, clock);
  p.reader = std::make_unique<runs::RunReader>(*p.store, *p.plans, *p.feed);
  p.run_service = std::make_unique<runs::RunService>(*p.reader, *p.feed);
  p.refs = std::make_unique<submissions::SubmissionRefs>(
      *p.store,
      [this](RepositoryId id, std::int32_t number, std::string commit) {
        return repositories.WriteRef(id, number, std::move(commit));
      });
  const std::string ref(attempts::kGradedRef);
  p.submission_service = std::make_unique<submissions::SubmissionService>(
      *p.store, *p.feed, *p.refs, clock, ref);
  p.pushes = std::make_unique<attempts::PushRecorder>(*p.store, *p.feed, clock);
  p.attempt_service = std::make_unique<attempts::AttemptService>(
      *p.store, *p.identity, clock,
      attempts::AttemptParts{
          .create_repository =
              [this](RepositoryId id, std::string commit) {
                return repositories.CreateRepository(id, std::move(commit));
              },
          .create_template =
              [this](v1::FileTree files) {
                return repositories.CreateTemplate(std::move(files));
              },
          .feed = p.feed.get(),
          .on_clock_changed = [this] { ++clock_changes; },
          .base_url = kBaseUrl});
  p.clock_service = std::make_unique<attempts::ClockService>(
      *p.store, clock, [this] { ++clock_changes; }, kBaseUrl,
      [this](const AttemptId& id) { parts_->feed->Touch(id); });
  p.version_service = std::make_unique<attempts::VersionService>(
      *p.store, clock,
      attempts::VersionParts{
          .write_offer =
              [this](RepositoryId id, std::string base, std::string offered) {
                return repositories.WriteOffer(std::move(id), std::move(base),
                                               std::move(offered));
              },
          .write_branch =
              [this](RepositoryId id, std::string branch, std::string commit) {
                return repositories.WriteBranch(
                    std::move(id), std::move(branch), std::move(commit));
              },
          .on_clock_changed = [this] { ++clock_changes; },
          .on_changed =
              [this](const AttemptId& id) { parts_->feed->Touch(id); }});
  p.reference_service = std::make_unique<attempts::ReferenceService>(
      *p.store, *p.identity, clock,
      attempts::ReferenceParts{.create_repository =
                                   [this](RepositoryId id, std::string commit) {
                                     return repositories.CreateRepository(
                                         id, std::move(commit));
                                   },
                               .feed = p.feed.get(),
                               .base_url = kBaseUrl});
  p.records_service = std::make_unique<attempts::RecordsService>(
      *p.store, clock,
      [this](RepositoryId id) { return repositories.RemoveRepository(id); },
      kBaseUrl);
  p.question_service = std::make_unique<attempts::QuestionService>(
      *p.store, clock, [this] { ++clock_changes; });
  p.decision_service =
      std::make_unique<attempts::DecisionService>(*p.store, clock);
  p.signer = std::make_unique<submissions::ReceiptSigner>(
      submissions::ReceiptSigner::Open(directory.path() / "receipt.key")
          .value());
  p.receipt_service =
      std::make_unique<submissions::ReceiptService>(*p.store, *p.signer);
  p.invitation_service =
      std::make_unique<attempts::InvitationService>(*p.store, clock, kBaseUrl);
  p.lost_link_service = std::make_unique<attempts::LostLinkService>(
      *p.store, clock, kBaseUrl, false, [] {});
  p.assignment_service = std::make_unique<assignments::AssignmentService>(
      *p.store, *p.blobs, clock,
      assignments::AssignmentParts{
          .compile = [this](const v1::FileTree& tree)
              -> Expected<assignments::CompiledSuite> {
            if (tree.files().empty())
              return InvalidArgument("assay.yaml:1:1: error: no suite");
            return assignments::CompiledSuite{next_plan_,
                                              next_plan_.SerializeAsString()};
          },
          .create_template =
              [this](v1::FileTree tree) {
                return repositories.CreateTemplate(std::move(tree));
              }});
  p.suite_service = std::make_unique<assignments::SuiteService>(
      *p.store, *p.blobs,
      [](const v1::FileTree&) { return v1::CheckSuiteResponse(); });
  p.deadlines = std::make_unique<deadlines::Deadlines>(
      loop.executor(), *p.store, *p.feed, *p.refs, clock,
      deadlines::DeadlineParts{
          .has_arrivals =
              [&p](const RepositoryId& id, Clock::TimePoint cut_off) {
                return p.pushes->HasArrivals(id, cut_off);
              },
          .graded_ref = ref});
  p.trace_service = std::make_unique<traces::TraceService>(*p.store);
  p.system_service = std::make_unique<system::SystemService>(
      *p.store, clock,
      system::SystemParts{.version = "test", .workers = [] {
                            return std::vector<v1::GetSystemResponse::Worker>(
                                1);
                          }});
  p.worker_service = std::make_unique<workers::WorkerService>(
      *p.store, clock,
      workers::WorkerParts{.attached = [this] { return attached_workers; },
                           .on_changed =
                               [this](const storage::WorkerRecord& record) {
                                 changed_workers.push_back(record);
                               }});
  // Argon2's least: what is tested is not its strength.
  p.account_service = std::make_unique<identity::AccountService>(
      *p.store, clock,
      identity::AccountOptions{
          .cost = {.operations = 1, .memory_bytes = 8 << 10}});
  p.overview_service = std::make_unique<overview::OverviewService>(
      *p.store, clock, [this] { return workers; });
  p.account_service->Register(p.registry);
  p.overview_service->Register(p.registry);
  p.assignment_service->Register(p.registry);
  p.invitation_service->Register(p.registry);
  p.lost_link_service->Register(p.registry);
  p.suite_service->Register(p.registry);
  p.attempt_service->Register(p.registry);
  p.clock_service->Register(p.registry);
  p.records_service->Register(p.registry);
  p.version_service->Register(p.registry);
  p.reference_service->Register(p.registry);
  p.question_service->Register(p.registry);
  p.decision_service->Register(p.registry);
  p.receipt_service->Register(p.registry);
  p.submission_service->Register(p.registry);
  p.run_service->Register(p.registry);
  p.trace_service->Register(p.registry);
  p.system_service->Register(p.registry);
  p.worker_service->Register(p.registry);
}

Expected<std::unique_ptr<google::protobuf::Message>> Installation::CallErased(
    const rpc::Caller& caller, const std::string& method,
    std::unique_ptr<google::protobuf::Message> request) {
  const rpc::Method* found = parts().registry.Find("assay.v1." + method);
  if (found == nullptr) throw std::logic_error("no method " + method);
  const auto& roles = found->access.roles();
  if (!found->access.anyone() &&
      std::find(roles.begin(), roles.end(), caller.role) == roles.end())
    return PermissionDenied(method, " is not for ", v1::Role_Name(caller.role));
  return loop.Await(
      found->unary(rpc::CallContext{.caller = caller, .peer = "127.0.0.1"},
                   std::move(request)));
}

v1::AssignmentSpec Installation::SomeSpec() {
  v1::AssignmentSpec spec;
  spec.set_title("Orders");
  spec.set_brief("Build it.");
  spec.mutable_duration()->set_seconds(3'600);
  return spec;
}

plan::v1::Plan Installation::SomePlan() {
  plan::v1::Plan plan;
  plan.set_name("orders");
  AddCheck(plan, "open", 10, false);
  plan::v1::Check* secret = AddCheck(plan, "secret", 20, true);
  secret->set_reveal(plan::v1::Check::REVEAL_FULL);
  secret->set_reveal_at(plan::v1::Check::REVEAL_AT_DEADLINE);
  plan::v1::Check* never = AddCheck(plan, "never", 30, true);
  never->set_reveal(plan::v1::Check::REVEAL_FULL);
  never->set_reveal_at(plan::v1::Check::REVEAL_AT_NEVER);
  plan.set_hidden_check_count(2);
  return plan;
}

v1::FileTree Installation::SomeTree() {
  v1::FileTree tree;
  v1::FileTree::File* file = tree.add_files();
  file->set_path("assay.yaml");
  file->set_mode(0100644);
  file->set_content("x");
  return tree;
}

rpc::Caller Installation::As(v1::Role role) {
  return {.role = role,
          .token = TokenId("tok_" + v1::Role_Name(role)),
          .label = v1::Role_Name(role)};
}
rpc::Caller Installation::Admin() { return As(v1::ROLE_ADMIN); }

v1::Assignment Installation::MakeAssignment(v1::AssignmentSpec spec,
                                            plan::v1::Plan plan) {
  next_plan_ = std::move(plan);
  v1::CreateAssignmentRequest request;
  request.set_assignment_id("orders");
  *request.mutable_spec() = std::move(spec);
  *request.mutable_template_() = SomeTree();
  *request.mutable_suite() = SomeTree();
  return Call<v1::CreateAssignmentResponse>(
             Admin(), "AssignmentService/CreateAssignment", request)
      .value()
      .assignment();
}

rpc::Caller Installation::Accept(const std::string& assignment) {
  v1::CreateInvitationRequest invite;
  invite.set_assignment(assignment);
  invite.set_candidate_name("Ada Lovelace");
  invite.set_candidate_email("ada@example.org");
  v1::AcceptInvitationRequest accept;
  accept.set_secret(Call<v1::CreateInvitationResponse>(
                        Admin(), "InvitationService/CreateInvitation", invite)
                        .value()
                        .secret());
  const auto accepted = Call<v1::AcceptInvitationResponse>(
                            {}, "InvitationService/AcceptInvitation", accept)
                            .value();
  return loop
      .Await(parts().identity->Authenticate("Bearer " + accepted.token()))
      .value();
}

rpc::Caller Installation::Begin(const std::string& assignment) {
  const rpc::Caller candidate = Accept(assignment);
  v1::StartAttemptRequest request;
  request.set_name("attempts/me");
  const auto started = Call<v1::StartAttemptResponse>(
      candidate, "AttemptService/StartAttempt", request);
  if (!started) throw std::runtime_error(started.error().message);
  return candidate;
}

v1::Attempt Installation::GetAttempt(const rpc::Caller& candidate) {
  v1::GetAttemptRequest request;
  request.set_name("attempts/me");
  return Call<v1::GetAttemptResponse>(candidate, "AttemptService/GetAttempt",
                                      request)
      .value()
      .attempt();
}

RepositoryId Installation::RepositoryOf(const rpc::Caller& candidate) {
  return Read([id = candidate.attempt](storage::Transaction& tx) {
           return tx.attempts.Get(id);
         })
      ->repository;
}

attempts::PushIntent Installation::Intent(const rpc::Caller& candidate,
                                          char digit) {
  return {.repository = RepositoryOf(candidate),
          .ref = std::string(attempts::kGradedRef),
          .old_commit = std::string(40, '0'),
          .new_commit = std::string(40, digit),
          .receive_time = clock.Now()};
}

attempts::ConfirmedPush Installation::Push(const rpc::Caller& candidate,
                                           char digit) {
  const auto intent =
      loop.Await(parts().pushes->RecordPushIntent(Intent(candidate, digit)))
          .value();
  if (!intent.refusal.empty()) throw std::runtime_error(intent.refusal);
  return loop.Await(parts().pushes->ConfirmPush(intent.push)).value();
}

}  // namespace assay::testing
