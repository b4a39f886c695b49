#include "services/attempts/source_service.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "proto/base/utf8.h"
#include "services/attempts/attempt_proto.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"

namespace assay::attempts {
namespace {

using repositories::CommitInfo;
using repositories::FileDelta;

constexpr int kDefaultLimit = 100;
constexpr int kMaxLimit = 500;
constexpr std::size_t kPathBytes = 4096;

Status CheckCommit(std::string_view commit, const char* field) {
  const bool hex = std::ranges::all_of(commit, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (commit.size() == 40 && hex) return {};
  return InvalidArgument(
      field, " is \"", PresentableLine(commit, 60),
      "\"; a commit is named by all its 40 lower-case hex digits");
}

v1::FileChange::Kind KindOf(FileDelta::Change change) {
  switch (change) {
    case FileDelta::Change::kAdded:
      return v1::FileChange::KIND_ADDED;
    case FileDelta::Change::kDeleted:
      return v1::FileChange::KIND_DELETED;
    case FileDelta::Change::kModified:
      return v1::FileChange::KIND_MODIFIED;
    case FileDelta::Change::kRenamed:
      return v1::FileChange::KIND_RENAMED;
  }
  return v1::FileChange::KIND_UNSPECIFIED;
}

v1::FileChange ToProto(FileDelta&& file) {
  v1::FileChange out;
  out.set_kind(KindOf(file.change));
  out.set_old_path(PresentableLine(file.old_path, kPathBytes));
  out.set_new_path(PresentableLine(file.new_path, kPathBytes));
  out.set_old_mode(file.old_mode);
  out.set_new_mode(file.new_mode);
  out.set_added_lines(file.added_lines);
  out.set_removed_lines(file.removed_lines);
  out.set_binary(file.binary);
  out.set_patch(std::move(file.patch));
  out.set_truncated(file.truncated);
  return out;
}

v1::SourceCommit ToProto(const CommitInfo& commit, bool blind) {
  v1::SourceCommit out;
  out.set_commit(commit.commit);
  for (const std::string& parent : commit.parents) out.add_parents(parent);
  out.set_subject(commit.subject);
  out.set_body(commit.body);
  if (!blind) out.set_author_name(PresentableLine(commit.author_name, 200));
  *out.mutable_author_time() = rpc::ToProto(commit.author_time);
  *out.mutable_commit_time() = rpc::ToProto(commit.commit_time);
  return out;
}

}  // namespace

SourceService::SourceService(storage::Store& store, SourceParts parts)
    : store_(store), parts_(std::move(parts)) {}

void SourceService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.SourceService/";
  rpc::Register(registry, service + "GetDiff", this, &SourceService::GetDiff);
  rpc::Register(registry, service + "ListCommits", this,
                &SourceService::ListCommits);
  rpc::Register(registry, service + "ListNotes", this,
                &SourceService::ListNotes);
}

Async<SourceService::Source> SourceService::Find(rpc::Caller caller,
                                                 std::string attempt) {
  ASSAY_CO_ASSIGN_OR_RETURN(const AttemptId id,
                            ResolveAttempt(caller, attempt));
  co_return co_await store_.Read(
      [id](storage::Transaction& tx) -> Expected<Source> {
        ASSAY_ASSIGN_OR_RETURN(const storage::AttemptRecord record,
                               tx.attempts.Get(id));
        if (record.erase_time)
          return FailedPrecondition("what attempt ", id,
                                    " held was erased; there is no code");
        if (record.repository.empty())
          return FailedPrecondition("attempt ", id,
                                    " has not started; there is no code yet");
        ASSAY_ASSIGN_OR_RETURN(const auto repository,
                               tx.repositories.Get(record.repository));
        return Source{.repository = record.repository,
                      .template_commit = repository.template_commit};
      });
}

Async<v1::GetDiffResponse> SourceService::GetDiff(rpc::CallContext context,
                                                  v1::GetDiffRequest request) {
  ASSAY_CO_RETURN_IF_ERROR(CheckCommit(request.new_commit(), "new_commit"));
  if (!request.old_commit().empty())
    ASSAY_CO_RETURN_IF_ERROR(CheckCommit(request.old_commit(), "old_commit"));
  ASSAY_CO_ASSIGN_OR_RETURN(const Source source,
                            co_await Find(context.caller, request.attempt()));
  const std::string old_commit = request.old_commit().empty()
                                     ? source.template_commit
                                     : request.old_commit();
  ASSAY_CO_ASSIGN_OR_RETURN(
      repositories::Diff diff,
      co_await parts_.read_diff(source.repository, old_commit,
                                request.new_commit()));
  v1::GetDiffResponse response;
  for (FileDelta& file : diff.files)
    *response.add_files() = ToProto(std::move(file));
  response.set_added_lines(diff.added_lines);
  response.set_removed_lines(diff.removed_lines);
  response.set_truncated(diff.truncated);
  response.set_old_commit(old_commit);
  response.set_new_commit(request.new_commit());
  co_return response;
}

Async<v1::ListCommitsResponse> SourceService::ListCommits(
    rpc::CallContext context, v1::ListCommitsRequest request) {
  ASSAY_CO_RETURN_IF_ERROR(CheckCommit(request.commit(), "commit"));
  if (request.limit() < 0 || request.limit() > kMaxLimit)
    co_return InvalidArgument("limit is ", request.limit(), "; it is 1 to ",
                              kMaxLimit, ", or 0 for ", kDefaultLimit);
  ASSAY_CO_ASSIGN_OR_RETURN(const Source source,
                            co_await Find(context.caller, request.attempt()));
  const int limit = request.limit() == 0 ? kDefaultLimit : request.limit();
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::vector<CommitInfo> history,
      co_await parts_.read_history(source.repository, request.commit(), limit));
  v1::ListCommitsResponse response;
  const bool blind = context.caller.role == v1::ROLE_REVIEWER;
  for (const CommitInfo& commit : history) {
    v1::SourceCommit& out = *response.add_commits();
    out = ToProto(commit, blind);
    out.set_of_template(commit.commit == source.template_commit);
  }
  co_return response;
}

Async<v1::ListNotesResponse> SourceService::ListNotes(
    rpc::CallContext context, v1::ListNotesRequest request) {
  ASSAY_CO_RETURN_IF_ERROR(CheckCommit(request.commit(), "commit"));
  ASSAY_CO_ASSIGN_OR_RETURN(const Source source,
                            co_await Find(context.caller, request.attempt()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      std::vector<repositories::Note> notes,
      co_await parts_.read_notes(source.repository, source.template_commit,
                                 request.commit()));
  v1::ListNotesResponse response;
  for (repositories::Note& note : notes) {
    v1::SourceNote& out = *response.add_notes();
    out.set_path(PresentableLine(note.path, kPathBytes));
    out.set_content(std::move(note.content));
    out.set_truncated(note.truncated);
    out.set_of_template(note.of_template);
  }
  co_return response;
}

}  // namespace assay::attempts
