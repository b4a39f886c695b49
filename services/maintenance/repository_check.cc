#include "services/maintenance/repository_check.h"

#include <git2.h>

#include <utility>

#include "services/attempts/push_recorder.h"
#include "services/repositories/fixed_refs.h"
#include "services/repositories/handles.h"
#include "services/repositories/history.h"
#include "services/repositories/integrity.h"
#include "services/repositories/leftovers.h"
#include "services/repositories/template_store.h"

namespace assay::maintenance {
namespace {

namespace fs = std::filesystem;
using repositories::RefTip;
using repositories::RepositoryHandle;

class Checker {
 public:
  Checker(const fs::path& path, const fs::path& templates,
          const ExpectedRepository& expected,
          const RepositoryCheckOptions& options)
      : path_(path),
        templates_(templates),
        expected_(expected),
        options_(options) {}

  Findings Run() && {
    if (!fs::exists(path_)) {
      Broken("is missing; restore it from a backup");
      return std::move(findings_);
    }
    CheckFiles();
    const auto repository = repositories::OpenBare(path_);
    if (!repository) {
      Broken(repository.error().message);
      return std::move(findings_);
    }
    if (const auto tips = repositories::ReadRefs(repository->get())) {
      for (const RefTip& tip : *tips) present_[tip.name] = tip.commit;
    } else {
      Broken(tips.error().message);
    }
    CheckCommits(repository->get());
    CheckBranches(repository->get());
    CheckSubmissions(repository->get());
    if (!options_.quick) CheckObjects(repository->get());
    return std::move(findings_);
  }

 private:
  void Add(Finding::Kind kind, std::string what) {
    findings_.push_back(
        {kind, "repositories/" + expected_.record.id.str(), std::move(what)});
  }
  void Broken(std::string what) {
    Add(Finding::Kind::kBroken, std::move(what));
  }
  // What `mended` came to.
  void Mended(const Status& mended, std::string what) {
    if (mended)
      Add(Finding::Kind::kMended, std::move(what));
    else
      Broken(what + "; mending it failed: " + mended.error().message);
  }

  // What every repository of the template has, and what none should.
  void CheckFiles() {
    for (const char* name : {"HEAD", "config", "objects/info/alternates"}) {
      if (fs::exists(path_ / name)) continue;
      const std::string what = std::string(name) + " is missing";
      if (options_.mend)
        Mended(repositories::TemplateStore(templates_)
                   .CreateRepository(expected_.record.template_commit, path_),
               what);
      else
        Broken(what + "; fsck --mend makes it again");
    }
    if (options_.mend) {
      const Status tidied = repositories::RemoveLeftovers(path_);
      if (!tidied) Broken(tidied.error().message);
    }
  }

  bool Has(git_repository* repository, const std::string& commit) const {
    return repositories::ReadCommit(repository, commit).has_value();
  }

  void CheckCommits(git_repository* repository) {
    for (const std::string& commit : expected_.commits)
      if (!Has(repository, commit))
        Broken("commit " + commit +
               " was accepted and cannot be read; restore the repository from "
               "a backup");
  }

  void CheckBranches(git_repository* repository) {
    for (const auto& [name, commit] : expected_.tips) {
      const auto tip = present_.find(name);
      if (tip != present_.end() && tip->second == commit) continue;
      const std::string at =
          tip == present_.end() ? "nowhere" : "at " + tip->second;
      // Where a row explains the tip, or none could, the last push decides.
      const bool known =
          tip == present_.end() || expected_.commits.contains(tip->second);
      if (!known || expected_.open) {
        Add(Finding::Kind::kNote,
            name + " is " + at +
                ", which the store does not know yet; assayd records it when "
                "it starts");
        continue;
      }
      const std::string what =
          name + " is " + at + ", its last push was " + commit;
      if (options_.mend)
        Mended(MoveBranch(repository, name, commit), what);
      else
        Broken(what + "; fsck --mend puts it there");
    }
  }

  static Status MoveBranch(git_repository* repository, const std::string& name,
                           const std::string& commit) {
    ASSAY_ASSIGN_OR_RETURN(const git_oid oid, repositories::ParseOid(commit));
    git_reference* raw = nullptr;
    if (int r = git_reference_create(&raw, repository, name.c_str(), &oid, 1,
                                     nullptr);
        r < 0)
      return repositories::GitError("move " + name, r);
    repositories::ReferenceHandle(raw).reset();
    return {};
  }

  void CheckSubmissions(git_repository* repository) {
    for (const auto& [number, commit] : expected_.submissions) {
      const std::string name = "refs/submissions/" + std::to_string(number);
      const auto ref = present_.find(name);
      if (ref != present_.end() && ref->second == commit) continue;
      if (ref != present_.end()) {
        Broken(name + " is at " + ref->second + ", the submission was " +
               commit);
        continue;
      }
      const std::string what = name + " is missing";
      if (options_.mend)
        Mended(repositories::WriteFixedRef(repository, path_, name, commit),
               what);
      else
        Broken(what + "; fsck --mend and every start of assayd write it");
    }
  }

  void CheckObjects(git_repository* repository) {
    const auto problems = repositories::CheckReachable(repository);
    if (!problems) return Broken(problems.error().message);
    for (const std::string& problem : *problems)
      Broken(problem + "; restore the repository from a backup");
  }

  const fs::path& path_;
  const fs::path& templates_;
  const ExpectedRepository& expected_;
  const RepositoryCheckOptions& options_;
  std::map<std::string, std::string> present_;
  Findings findings_;
};

}  // namespace

Expected<ExpectedRepository> ReadExpected(
    storage::Transaction& tx, const storage::RepositoryRecord& record) {
  ExpectedRepository expected{.record = record};
  expected.commits.insert(record.template_commit);
  expected.tips[std::string(attempts::kGradedRef)] = record.template_commit;
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto pushes,
                           tx.pushes.List(record.attempt, page));
    for (const storage::PushRecord& push : pushes.items) {
      if (push.state == v1::Push::STATE_RECEIVED) expected.open = true;
      if (push.state != v1::Push::STATE_ACCEPTED) continue;
      expected.commits.insert(push.new_commit);
      expected.tips[push.ref] = push.new_commit;
    }
    page.token = pushes.next_token;
  } while (!page.token.empty());
  ASSAY_ASSIGN_OR_RETURN(const auto offers,
                         tx.template_offers.List(record.attempt));
  for (const storage::TemplateOfferRecord& offer : offers)
    expected.commits.insert(offer.commit);
  ASSAY_ASSIGN_OR_RETURN(const auto submissions,
                         tx.submissions.List(record.attempt));
  for (const storage::SubmissionRecord& submission : submissions)
    if (!submission.commit.empty())
      expected.submissions[submission.number] = submission.commit;
  return expected;
}

Findings CheckRepository(const fs::path& path, const fs::path& templates,
                         const ExpectedRepository& expected,
                         const RepositoryCheckOptions& options) {
  return Checker(path, templates, expected, options).Run();
}

}  // namespace assay::maintenance
