#include "services/assignments/assignment_service.h"

#include <utility>

#include "services/assignments/spec.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/runs/placement.h"
#include "services/scoring/score.h"
#include "services/storage/once.h"

namespace assay::assignments {
namespace {

using storage::AssignmentCounts;
using storage::AssignmentRecord;
using storage::Transaction;

void Append(std::vector<std::string>& problems, std::vector<std::string> more) {
  for (std::string& problem : more) problems.push_back(std::move(problem));
}

std::string Lines(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem;
  }
  return text;
}

v1::Assignment ToProto(const AssignmentRecord& record,
                       const AssignmentCounts& counts) {
  v1::Assignment proto;
  proto.set_name(rpc::FormatName("assignments", record.id));
  proto.set_version(record.version);
  *proto.mutable_spec() = record.spec;
  proto.set_template_commit(record.template_commit);
  proto.set_plan_digest(record.plan_digest);
  proto.set_max_points(record.max_points);
  proto.set_check_count(record.check_count);
  *proto.mutable_create_time() = rpc::ToProto(record.create_time);
  *proto.mutable_update_time() = rpc::ToProto(record.update_time);
  proto.set_invitation_count(counts.invitations);
  proto.set_attempt_count(counts.attempts);
  proto.set_submitted_count(counts.submitted);
  return proto;
}

Expected<v1::Assignment> Show(Transaction& tx, const AssignmentRecord& record) {
  ASSAY_ASSIGN_OR_RETURN(const AssignmentCounts counts,
                         tx.assignments.Count(record.id));
  return ToProto(record, counts);
}

Status Audit(Transaction& tx, const rpc::CallContext& context,
             const AssignmentRecord& record, const char* action) {
  return tx.audit.Append(
      {.time = record.update_time,
       .actor = context.caller.label,
       .action = action,
       .subject = rpc::FormatName("assignments", record.id),
       .detail = "version " + std::to_string(record.version) + ", plan " +
                 record.plan_digest + ", template " + record.template_commit});
}

}  // namespace

AssignmentService::AssignmentService(storage::Store& store,
                                     storage::BlobStore& blobs,
                                     const Clock& clock, AssignmentParts parts)
    : store_(store), blobs_(blobs), clock_(clock), parts_(std::move(parts)) {}

void AssignmentService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.AssignmentService/";
  rpc::Register(registry, service + "CreateAssignment", this,
                &AssignmentService::Create);
  rpc::Register(registry, service + "UpdateAssignment", this,
                &AssignmentService::Update);
  rpc::Register(registry, service + "GetAssignment", this,
                &AssignmentService::Get);
  rpc::Register(registry, service + "ListAssignments", this,
                &AssignmentService::List);
}

Async<AssignmentRecord> AssignmentService::Prepare(
    AssignmentRecord record, const v1::FileTree* template_files,
    const v1::FileTree* suite, std::vector<std::string> problems) {
  Append(problems, SpecProblems(record.spec));
  if (template_files != nullptr)
    Append(problems, TreeProblems("template", *template_files));
  CompiledSuite compiled;
  if (suite != nullptr) {
    std::vector<std::string> tree = TreeProblems("suite", *suite);
    if (tree.empty()) {
      Expected<CompiledSuite> result = parts_.compile(*suite);
      if (result)
        compiled = *std::move(result);
      else
        tree.push_back(std::move(result).error().message);
    }
    Append(problems, std::move(tree));
  }
  if (!problems.empty()) co_return InvalidArgument(Lines(problems));

  if (template_files != nullptr) {
    ASSAY_CO_ASSIGN_OR_RETURN(record.template_commit,
                              co_await parts_.create_template(*template_files));
  }
  if (suite != nullptr) {
    ASSAY_CO_ASSIGN_OR_RETURN(record.suite_digest,
                              co_await blobs_.Put(suite->SerializeAsString()));
    ASSAY_CO_ASSIGN_OR_RETURN(record.plan_digest,
                              co_await blobs_.Put(std::move(compiled.bytes)));
    record.max_points =
        scoring::Compute(compiled.plan, {}, scoring::Scope::kAll).max();
    record.check_count = compiled.plan.checks_size();
    const storage::Needs needs = runs::NeedsOf(compiled.plan);
    record.milli_cpus = needs.milli_cpus;
    record.memory_bytes = needs.memory_bytes;
  }
  co_return record;
}

// A repeat of the request gets the first one's answer.
template <class Response, class Request>
Async<Response> AssignmentService::Keep(rpc::CallContext context,
                                        Request request,
                                        AssignmentRecord record,
                                        Change change) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response made, co_await store_.Write([record, context, request,
                                            change](Transaction& tx) {
        return storage::Once<Response>(
            tx,
            {context.caller.token.str(),
             std::string("assay.v1.AssignmentService/") + change.method,
             request.request_id()},
            request, record.update_time, [&]() -> Expected<Response> {
              ASSAY_RETURN_IF_ERROR((tx.assignments.*change.write)(record));
              ASSAY_RETURN_IF_ERROR(Audit(tx, context, record, change.action));
              Response response;
              ASSAY_ASSIGN_OR_RETURN(*response.mutable_assignment(),
                                     Show(tx, record));
              return response;
            });
      }));
  if (parts_.on_changed) parts_.on_changed();
  co_return made;
}

Async<v1::CreateAssignmentResponse> AssignmentService::Create(
    rpc::CallContext context, v1::CreateAssignmentRequest request) {
  AssignmentRecord draft;
  draft.id = AssignmentId(request.assignment_id());
  draft.spec = WithDefaults(request.spec());
  ASSAY_CO_ASSIGN_OR_RETURN(
      const bool exists,
      co_await store_.Read([id = draft.id](Transaction& tx) -> Expected<bool> {
        const auto found = tx.assignments.Get(id);
        if (!found && found.error().code != Code::kNotFound)
          return std::unexpected(found.error());
        return found.has_value();
      }));
  // A repeat gets its answer below, and everybody else a refusal: neither
  // leaves a template that nobody has.
  AssignmentRecord record = std::move(draft);
  if (!exists) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        record, co_await Prepare(std::move(record), &request.template_(),
                                 &request.suite(),
                                 SlugProblems(request.assignment_id())));
  }
  record.create_time = record.update_time = clock_.Now();
  co_return co_await Keep<v1::CreateAssignmentResponse>(
      std::move(context), std::move(request), std::move(record),
      {.method = "CreateAssignment",
       .action = "assignment.create",
       .write = &storage::AssignmentTable::Create});
}

Async<v1::UpdateAssignmentResponse> AssignmentService::Update(
    rpc::CallContext context, v1::UpdateAssignmentRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(AssignmentRecord draft,
                            co_await store_.Read([id](Transaction& tx) {
                              return tx.assignments.Get(id);
                            }));
  if (request.has_spec()) draft.spec = WithDefaults(request.spec());
  ASSAY_CO_ASSIGN_OR_RETURN(
      AssignmentRecord record,
      co_await Prepare(std::move(draft),
                       request.has_template_() ? &request.template_() : nullptr,
                       request.has_suite() ? &request.suite() : nullptr, {}));
  record.version = request.expected_version() + 1;
  record.update_time = clock_.Now();
  co_return co_await Keep<v1::UpdateAssignmentResponse>(
      std::move(context), std::move(request), std::move(record),
      {.method = "UpdateAssignment",
       .action = "assignment.update",
       .write = &storage::AssignmentTable::AddVersion});
}

Async<v1::GetAssignmentResponse> AssignmentService::Get(
    rpc::CallContext context, v1::GetAssignmentRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.name()));
  using Response = v1::GetAssignmentResponse;
  co_return co_await store_.Read([id, version = request.version()](
                                     Transaction& tx) -> Expected<Response> {
    ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord record,
                           tx.assignments.Get(id, version));
    Response response;
    ASSAY_ASSIGN_OR_RETURN(*response.mutable_assignment(), Show(tx, record));
    return response;
  });
}

Async<v1::ListAssignmentsResponse> AssignmentService::List(
    rpc::CallContext context, v1::ListAssignmentsRequest request) {
  using Response = v1::ListAssignmentsResponse;
  const storage::Page page{request.page_size(), request.page_token()};
  co_return co_await store_.Read([page](Transaction& tx) -> Expected<Response> {
    ASSAY_ASSIGN_OR_RETURN(const auto records, tx.assignments.List(page));
    Response response;
    for (const AssignmentRecord& record : records.items) {
      ASSAY_ASSIGN_OR_RETURN(*response.add_assignments(), Show(tx, record));
    }
    response.set_next_page_token(records.next_token);
    return response;
  });
}

}  // namespace assay::assignments
