#include "services/coordinator/domain_services.h"
#include "services/assignments/suite_compiler.h"
#include "services/coordinator/readings.h"
#include "services/gateway/spawn.h"
#include "services/nodes/node_load.h"
#include "services/nodes/peers.h"

namespace assay::coordinator {
DomainServices::DomainServices(Core& of)
    : core(of),
      assignment_service{
          core.store,
          *core.ground.blobs,
          core.clock,
          {.compile = assignments::CompileWithRunnerSuite,
           .create_template =
               [this](v1::FileTree files) {
                 return core.homes.CreateTemplate(std::move(files));
               },
           .on_changed = [this] { core.feed.TouchLists(); }}},
      suite_service{core.store, *core.ground.blobs,
                    assignments::CheckWithRunnerSuite},
      invitation_service{core.store, core.clock, core.public_url,
                         core.options.ways.mails(),
                         [this] { core.feed.TouchLists(); }},
      lost_link_service{core.store, core.clock, core.public_url,
                        core.options.ways.mails(),
                        [this] { core.WakeNotifier(); }},
      attempt_service{core.store,
                      core.identity,
                      core.clock,
                      {.create_repository =
                           [this](RepositoryId repository, std::string commit) {
                             return core.homed.Create(std::move(repository),
                                                      std::move(commit));
                           },
                       .create_template =
                           [this](v1::FileTree files) {
                             return core.homes.CreateTemplate(std::move(files));
                           },
                       .feed = &core.feed,
                       .on_clock_changed = [this] { core.WakeDeadlines(); },
                       .node = core.node,
                       .base_url = core.public_url}},
      clock_service{
          core.store, core.clock, [this] { core.WakeDeadlines(); },
          core.public_url,
          [this](const AttemptId& attempt) { core.feed.Touch(attempt); }},
      version_service{
          core.store,
          core.clock,
          {.write_offer =
               [this](RepositoryId repository, std::string base,
                      std::string offered) {
                 return core.homed.WriteOfferCommit(std::move(repository),
                                                    std::move(base),
                                                    std::move(offered));
               },
           .write_branch =
               [this](RepositoryId repository, std::string branch,
                      std::string commit) {
                 return core.homed.WriteBranch(std::move(repository),
                                               std::move(branch),
                                               std::move(commit));
               },
           .on_clock_changed = [this] { core.WakeDeadlines(); },
           .on_changed =
               [this](const AttemptId& attempt) { core.feed.Touch(attempt); }}},
      reference_service{
          core.store,
          core.identity,
          core.clock,
          {.create_repository =
               [this](RepositoryId repository, std::string commit) {
                 return core.homed.Create(std::move(repository),
                                          std::move(commit));
               },
           .feed = &core.feed,
           .node = core.node,
           .base_url = core.public_url}},
      records_service{core.store, core.clock,
                      [this](RepositoryId repository) {
                        return core.homed.Remove(std::move(repository));
                      },
                      core.public_url},
      source_service{
          core.store,
          {.read_diff =
               [this](RepositoryId repository, std::string before,
                      std::string after) {
                 return core.homed.ReadDiff(std::move(repository),
                                            std::move(before),
                                            std::move(after));
               },
           .read_history =
               [this](RepositoryId repository, std::string commit, int limit) {
                 return core.homed.ReadHistory(std::move(repository),
                                               std::move(commit), limit);
               },
           .read_notes =
               [this](RepositoryId repository, std::string before,
                      std::string commit) {
                 return core.homed.ReadNotes(std::move(repository),
                                             std::move(before),
                                             std::move(commit));
               }}},
      question_service{core.store, core.clock, [this] { core.WakeDeadlines(); },
                       [this](const AttemptId& attempt) {
                         if (attempt.empty())
                           core.feed.TouchAll();
                         else
                           core.feed.Touch(attempt);
                         core.WakeNotifier();
                       }},
      decision_service{
          core.store, core.clock,
          [this](const AttemptId& attempt) { core.feed.Touch(attempt); }},
      notification_service{core.store, core.clock,
                           [this] { core.WakeNotifier(); }},
      receipt_service{core.store, *core.ground.signer},
      submission_service{core.store, core.feed, core.submission_refs,
                         core.clock, std::string(attempts::kGradedRef)},
      run_service{core.reader, core.feed},
      trace_service{core.store},
      system_service{
          core.store,
          core.clock,
          {.version = core.options.version,
           .workers = [this] { return WorkersOf(core.dispatcher); }}},
      worker_service{
          core.store,
          core.clock,
          {.attached =
               [this] {
                 return nodes::AttachedAnywhere(core.dispatcher,
                                                core.membership);
               },
           .on_changed =
               [this](const storage::WorkerRecord& record) {
                 core.dispatcher.HoldBack(record.name,
                                          workers::HeldBack(record));
                 core.exchange.TellWorkerChanged(record.name);
               },
           .enrolments = core.ground.enrolments.get(),
           .on_revoked =
               [this](std::string name) {
                 Error why{
                     Code::kPermissionDenied,
                     "the certificate of worker " + name + " was revoked"};
                 return core.dispatcher.Expel(std::move(name), std::move(why));
               }}},
      node_service{core.store, core.clock, core.membership,
                   [this] { return nodes::LoadOf(core.dispatcher); },
                   [this] {
                     core.membership.Wake();
                     core.exchange.TellNodeChanged();
                   }},
      overview_service{core.store, core.clock,
                       [this] {
                         return nodes::OffersAnywhere(core.dispatcher,
                                                      core.membership);
                       }},
      account_service{
          core.store,
          core.clock,
          {.https = core.https, .cost = core.options.password_cost}} {
  assignment_service.Register(methods);
  invitation_service.Register(methods);
  lost_link_service.Register(methods);
  attempt_service.Register(methods);
  clock_service.Register(methods);
  records_service.Register(methods);
  source_service.Register(methods);
  version_service.Register(methods);
  reference_service.Register(methods);
  question_service.Register(methods);
  notification_service.Register(methods);
  decision_service.Register(methods);
  submission_service.Register(methods);
  receipt_service.Register(methods);
  run_service.Register(methods);
  trace_service.Register(methods);
  system_service.Register(methods);
  worker_service.Register(methods);
  node_service.Register(methods);
  core.peer_service.Register(methods);
  suite_service.Register(methods);
  overview_service.Register(methods);
  account_service.Register(methods);
}

}  // namespace assay::coordinator
