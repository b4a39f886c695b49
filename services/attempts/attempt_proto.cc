#include "services/attempts/attempt_proto.h"

#include "proto/base/digest.h"
#include "services/attempts/clock.h"
#include "services/attempts/push_run.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/resource_name.h"

namespace assay::attempts {

Expected<AttemptId> ResolveAttempt(const rpc::Caller& caller,
                                   const std::string& name) {
  const bool candidate = caller.role == v1::ROLE_CANDIDATE;
  if (candidate && name == "attempts/me") return caller.attempt;
  ASSAY_ASSIGN_OR_RETURN(const AttemptId id,
                         rpc::ParseName<AttemptId>("attempts", name));
  if (candidate && id != caller.attempt)
    return NotFound("there is no attempt ", id);
  return id;
}

std::string CloneUrl(const std::string& base_url, const RepositoryId& id) {
  return base_url + "/git/" + id.str() + ".git";
}

RepositoryId RepositoryOf(const AttemptId& attempt) {
  return RepositoryId(
      "rep_" + Sha256Hex("repository of " + attempt.str()).substr(0, 20));
}

Status CheckIsOfCandidate(const storage::AttemptRecord& attempt) {
  if (!attempt.reference) return {};
  return FailedPrecondition(
      "attempt ", attempt.id, " is the reference solution of ",
      attempt.assignment,
      ": it has no clock, no candidate and no decision; push another solution "
      "to replace it");
}

namespace {

v1::AttemptRules RulesOf(const v1::AssignmentSpec& spec) {
  v1::AttemptRules rules;
  rules.set_late_policy(spec.late_policy());
  rules.set_allow_force_push(spec.allow_force_push());
  rules.set_max_push_bytes(spec.max_push_bytes());
  rules.set_push_runs_per_hour(spec.push_runs_per_hour());
  rules.set_time_zone(spec.time_zone());
  if (spec.has_open_time()) *rules.mutable_open_time() = spec.open_time();
  if (spec.has_hard_close_time())
    *rules.mutable_hard_close_time() = spec.hard_close_time();
  *rules.mutable_reminders() = spec.reminders();
  rules.set_allow_tags(spec.allow_tags());
  rules.set_commit_subject(spec.commit_subject());
  rules.set_linear_history(spec.linear_history());
  return rules;
}

}  // namespace

Expected<v1::Attempt> ShowAttempt(storage::Transaction& tx,
                                  const storage::AttemptRecord& attempt,
                                  const rpc::Caller& caller,
                                  const std::string& base_url) {
  const bool waits = attempt.state == v1::Attempt::STATE_ACCEPTED;
  ASSAY_ASSIGN_OR_RETURN(
      const storage::AssignmentRecord assignment,
      // Whoever has not started yet will start with the current version.
      waits ? tx.assignments.Get(attempt.assignment)
            : AssignmentOf(tx, attempt));
  ASSAY_ASSIGN_OR_RETURN(const auto offers,
                         tx.template_offers.List(attempt.id));
  ASSAY_ASSIGN_OR_RETURN(const storage::AttemptCounts counts,
                         tx.attempts.Count(attempt.id));
  v1::Attempt proto;
  proto.set_name(rpc::FormatName("attempts", attempt.id));
  proto.set_assignment(rpc::FormatName("assignments", attempt.assignment));
  proto.set_assignment_version(assignment.version);
  proto.set_state(attempt.state);
  ClockRecord clock = attempt.clock;
  if (waits) {
    clock = NewClock(assignment.spec, clock.accommodation);
    clock.version = attempt.clock.version;
  }
  *proto.mutable_clock() = ToProto(clock);
  if (!attempt.repository.empty())
    proto.set_clone_url(CloneUrl(base_url, attempt.repository));
  *proto.mutable_create_time() = rpc::ToProto(attempt.create_time);
  if (caller.role != v1::ROLE_REVIEWER) {
    proto.set_candidate_name(attempt.candidate_name);
    proto.set_candidate_email(attempt.candidate_email);
  }
  proto.set_push_count(counts.pushes);
  proto.set_submission_count(counts.submissions);
  proto.set_latest_run(rpc::FormatName("runs", counts.latest_run));
  proto.set_title(assignment.spec.title());
  proto.set_brief(assignment.spec.brief());
  proto.set_ai_policy(assignment.spec.ai_policy());
  *proto.mutable_rules() = RulesOf(assignment.spec);
  if (!offers.empty()) proto.set_template_branch(offers.back().branch);
  if (attempt.erase_time)
    *proto.mutable_erase_time() = rpc::ToProto(*attempt.erase_time);
  proto.set_reference(attempt.reference);
  return proto;
}

v1::Push ToProto(const storage::PushRecord& push) {
  v1::Push proto;
  proto.set_name(rpc::FormatName("attempts", push.attempt) + "/" +
                 rpc::FormatName("pushes", push.id));
  proto.set_ref(push.ref);
  proto.set_old_commit(push.old_commit);
  proto.set_new_commit(push.new_commit);
  *proto.mutable_receive_time() = rpc::ToProto(push.receive_time);
  proto.set_state(push.state);
  proto.set_refusal(push.refusal);
  proto.set_late(push.late);
  proto.set_run(rpc::FormatName("runs", push.run));
  proto.set_subject(push.subject);
  if (push.commit_time)
    *proto.mutable_commit_time() = rpc::ToProto(*push.commit_time);
  return proto;
}

v1::Invitation ToProto(const storage::InvitationRecord& invitation,
                       Clock::TimePoint now) {
  v1::Invitation proto;
  proto.set_name(rpc::FormatName("invitations", invitation.id));
  proto.set_assignment(rpc::FormatName("assignments", invitation.assignment));
  proto.set_assignment_version(invitation.assignment_version);
  proto.set_candidate_name(invitation.candidate_name);
  proto.set_candidate_email(invitation.candidate_email);
  const bool expired = invitation.state == v1::Invitation::STATE_PENDING &&
                       now >= invitation.expire_time;
  proto.set_state(expired ? v1::Invitation::STATE_EXPIRED : invitation.state);
  *proto.mutable_create_time() = rpc::ToProto(invitation.create_time);
  *proto.mutable_expire_time() = rpc::ToProto(invitation.expire_time);
  proto.set_attempt(rpc::FormatName("attempts", invitation.attempt));
  proto.set_accommodation(invitation.accommodation);
  return proto;
}

}  // namespace assay::attempts
