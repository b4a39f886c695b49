#include <fmt/format.h>

#include <ranges>
#include <string_view>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "assay/v1/source_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::SourceService::Stub;

struct DiffOptions {
  std::string name = "me";
  std::string from;
  std::string to;
  bool stat = false;
};
struct CommitsOptions {
  std::string name = "me";
  std::string commit;
  int limit = 100;
};

Expected<std::vector<v1::Push>> AcceptedPushes(Context& context,
                                               const std::string& attempt) {
  std::vector<v1::Push> accepted;
  v1::ListPushesRequest request;
  request.set_attempt(FullName("attempts", attempt));
  do {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page,
        context.server().Call(&v1::AttemptService::Stub::ListPushes, request));
    for (const v1::Push& push : page.pushes())
      if (push.state() == v1::Push::STATE_ACCEPTED) accepted.push_back(push);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return accepted;
}

// A commit as people write it: whole, or the start of one that was pushed.
Expected<std::string> Resolve(const std::vector<v1::Push>& pushes,
                              const std::string& text) {
  if (text.size() == 40) return text;
  std::string found;
  for (const v1::Push& push : pushes) {
    if (!push.new_commit().starts_with(text) || push.new_commit() == found)
      continue;
    if (!found.empty())
      return InvalidArgument("\"", text, "\" begins two commits, ",
                             found.substr(0, 12), " and ",
                             push.new_commit().substr(0, 12), "; say more");
    found = push.new_commit();
  }
  if (found.empty())
    return NotFound("no push brought a commit that begins with \"", text,
                    "\"; see assay attempt pushes");
  return found;
}

Expected<std::string> CommitOf(const std::vector<v1::Push>& pushes,
                               const std::string& text) {
  if (!text.empty()) return Resolve(pushes, text);
  // What was tagged may be anything that was pushed.
  for (const v1::Push& push : pushes | std::views::reverse)
    if (push.ref() == "refs/heads/main") return push.new_commit();
  return FailedPrecondition("nothing was pushed yet; there is no code");
}

std::string NameOf(const v1::FileChange& file) {
  if (file.kind() == v1::FileChange::KIND_RENAMED)
    return Printable(file.old_path()) + " → " + Printable(file.new_path());
  return Printable(file.new_path().empty() ? file.old_path() : file.new_path());
}

std::string KindText(v1::FileChange::Kind kind) {
  switch (kind) {
    case v1::FileChange::KIND_ADDED:
      return "new";
    case v1::FileChange::KIND_DELETED:
      return "deleted";
    case v1::FileChange::KIND_RENAMED:
      return "renamed";
    default:
      return "";
  }
}

Color ColorOf(std::string_view line) {
  if (line.starts_with('+')) return Color::kGreen;
  if (line.starts_with('-')) return Color::kRed;
  return line.starts_with("@@") ? Color::kDim : Color::kNone;
}

void PrintPatch(Console& console, const v1::FileChange& file) {
  std::string_view rest = file.patch();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    console.Line(console.Paint(ColorOf(line), Printable(line, Lines::kMany)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (file.binary()) console.Line("(binary, or too large to be compared)");
  if (file.truncated())
    console.Line("(cut: clone the repository for the rest)");
}

Outcome Diff(Context& context, const DiffOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto pushes,
                         AcceptedPushes(context, options.name));
  v1::GetDiffRequest request;
  request.set_attempt(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_new_commit(),
                         CommitOf(pushes, options.to));
  if (!options.from.empty()) {
    ASSAY_ASSIGN_OR_RETURN(*request.mutable_old_commit(),
                           Resolve(pushes, options.from));
  }
  ASSAY_ASSIGN_OR_RETURN(const auto diff,
                         context.server().Call(&Stub::GetDiff, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(diff);
    return kSuccess;
  }
  if (options.stat) {
    std::vector<std::vector<std::string>> rows;
    for (const v1::FileChange& file : diff.files())
      rows.push_back({std::to_string(file.added_lines()),
                      std::to_string(file.removed_lines()),
                      KindText(file.kind()), NameOf(file)});
    console.Table({"ADDED", "REMOVED", "", "FILE"}, rows);
  } else {
    for (const v1::FileChange& file : diff.files()) {
      console.Line(console.Paint(
          Color::kBold,
          fmt::format("{}  +{} -{} {}", NameOf(file), file.added_lines(),
                      file.removed_lines(), KindText(file.kind()))));
      PrintPatch(console, file);
      console.Line();
    }
  }
  console.Line(fmt::format("{} files, +{} -{} ({} to {})", diff.files_size(),
                           diff.added_lines(), diff.removed_lines(),
                           diff.old_commit().substr(0, 12),
                           diff.new_commit().substr(0, 12)));
  if (diff.truncated()) console.Line("More files changed than are given here.");
  return kSuccess;
}

Outcome Commits(Context& context, const CommitsOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto pushes,
                         AcceptedPushes(context, options.name));
  v1::ListCommitsRequest request;
  request.set_attempt(FullName("attempts", options.name));
  request.set_limit(options.limit);
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_commit(),
                         CommitOf(pushes, options.commit));
  ASSAY_ASSIGN_OR_RETURN(const auto history,
                         context.server().Call(&Stub::ListCommits, request));
  if (context.console().json()) {
    context.console().Json(history);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::SourceCommit& commit : history.commits())
    rows.push_back(
        {commit.commit().substr(0, 12), TimeText(commit.author_time()),
         Printable(commit.author_name()), Printable(commit.subject())});
  context.console().Table({"COMMIT", "DATED (CLAIMED)", "AUTHOR", "SUBJECT"},
                          rows);
  return kSuccess;
}

// The first line says whose file it is; the rest is as it was written.
void PrintNote(Console& console, const v1::SourceNote& note) {
  console.Line(console.Paint(
      Color::kBold, Printable(note.path()) +
                        (note.of_template() ? " (of the template)" : "")));
  console.Line(Printable(note.content(), Lines::kMany));
  if (note.truncated())
    console.Line("(cut: clone the repository for the rest)");
}

Outcome Notes(Context& context, const CommitsOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto pushes,
                         AcceptedPushes(context, options.name));
  v1::ListNotesRequest request;
  request.set_attempt(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_commit(),
                         CommitOf(pushes, options.commit));
  ASSAY_ASSIGN_OR_RETURN(const auto found,
                         context.server().Call(&Stub::ListNotes, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(found);
    return kSuccess;
  }
  for (const v1::SourceNote& note : found.notes()) PrintNote(console, note);
  if (found.notes().empty())
    console.Line("There is no DECISIONS, NOTES or README at this commit.");
  return kSuccess;
}

}  // namespace

void AddSourceCommands(CommandLine& line, CLI::App& group) {
  auto diff = line.Add<DiffOptions>(
      group, "diff", "What was changed, against the template or a commit",
      "  assay attempt diff att_7f3k\n"
      "  assay attempt diff att_7f3k --stat\n"
      "  assay attempt diff att_7f3k --from 3f2a91c --to 8be01d2",
      Diff);
  diff.app.add_option("name", diff.options->name,
                      "Attempt; a candidate's own is \"me\"");
  diff.app.add_option("--from", diff.options->from,
                      "Commit to compare with [the template]");
  diff.app.add_option("--to", diff.options->to, "Commit [the last push's]");
  diff.app.add_flag("--stat", diff.options->stat, "Files and counts only");
  auto commits = line.Add<CommitsOptions>(
      group, "commits",
      "The commits behind a push, as they describe themselves",
      "  assay attempt commits att_7f3k", Commits);
  commits.app.add_option("name", commits.options->name,
                         "Attempt; a candidate's own is \"me\"");
  commits.app.add_option("--commit", commits.options->commit,
                         "Commit to start from [the last push's]");
  commits.app.add_option("--limit", commits.options->limit, "At most [100]")
      ->check(CLI::Range(1, 500));
  auto notes = line.Add<CommitsOptions>(
      group, "notes",
      "What a push holds for people to read: DECISIONS, NOTES and README",
      "  assay attempt notes att_7f3k", Notes);
  notes.app.add_option("name", notes.options->name,
                       "Attempt; a candidate's own is \"me\"");
  notes.app.add_option("--commit", notes.options->commit,
                       "Commit to read at [the last push's]");
}

}  // namespace assay::cli
