#include "services/runs/run_proto.h"

#include <cstring>
#include <string>

#include "proto/base/digest.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/resource_name.h"

namespace assay::runs {

v1::Run ToProto(const storage::RunRecord& run,
                const std::vector<v1::CheckResult>& results,
                std::int32_t queue_position) {
  v1::Run proto;
  proto.set_name(rpc::FormatName("runs", run.id));
  proto.set_attempt(rpc::FormatName("attempts", run.attempt));
  proto.set_kind(run.kind);
  proto.set_state(run.state);
  proto.set_outcome(run.outcome);
  proto.set_outcome_reason(run.outcome_reason);
  proto.set_commit(run.commit);
  proto.set_plan_digest(run.plan_digest);
  *proto.mutable_queue_time() = rpc::ToProto(run.queue_time);
  if (run.start_time)
    *proto.mutable_start_time() = rpc::ToProto(*run.start_time);
  if (run.finish_time)
    *proto.mutable_finish_time() = rpc::ToProto(*run.finish_time);
  if (run.score) *proto.mutable_score() = *run.score;
  for (const v1::CheckResult& result : results) *proto.add_checks() = result;
  if (run.state == v1::Run::STATE_QUEUED)
    proto.set_queue_position(queue_position);
  proto.set_epoch(run.epoch);
  proto.set_assignment(rpc::FormatName("assignments", run.assignment));
  proto.set_assignment_version(run.assignment_version);
  proto.set_trace_id(run.trace_id);
  if (run.submission > 0)
    proto.set_submission(proto.attempt() + "/submissions/" +
                         std::to_string(run.submission));
  return proto;
}

storage::RunRecord NewRun() {
  storage::RunRecord run;
  run.id = RunId::Random();
  // Both from the kernel's randomness, by way of a token that has enough.
  const std::string digest = Sha256Hex(RandomToken(52));
  run.trace_id = digest.substr(0, 32);
  const std::string seed = FromHex(digest.substr(32, 16));
  std::memcpy(&run.seed, seed.data(), sizeof(run.seed));
  return run;
}

}  // namespace assay::runs
