#ifndef ASSAY_SERVICES_REPOSITORIES_REPOSITORIES_H_
#define ASSAY_SERVICES_REPOSITORIES_REPOSITORIES_H_

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/repositories/incoming.h"
#include "services/repositories/records.h"

namespace assay::repositories {

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

struct Options {
  // Holds `templates/`, `attempts/` and `packs/`; made when absent.
  std::filesystem::path root;
  // Threads that run libgit2.
  int threads = 2;
};

// Templates and attempts' repositories on the local disk.
//
// A template is one root commit in a store of its own, whose name is the
// commit; the same files give the same commit. An attempt's repository borrows
// objects from its template's store and from nothing else, because whatever a
// repository can borrow, a stock `git fetch` can read.
//
// Every function may be repeated after a crash or a lost answer.
//
// Threads: called from one thread (the coordinator's strand); the work is done
// by a pool and the coroutine goes on where it was.
// Errors: kNotFound for an unknown repository, template or commit;
// kInvalidArgument for a template that is refused; kResourceExhausted for a
// full disk or a limit that is named; kDataLoss for objects that are damaged.
class Repositories {
 public:
  static Expected<std::unique_ptr<Repositories>> Open(Options options);
  // Waits for what the pool is doing.
  ~Repositories();

  // Stores `template_files` as one root commit and answers with the commit.
  // Refuses what would surprise a candidate's checkout: gitlinks, `.git`,
  // `..`, names that differ only in case, symbolic links that leave the tree.
  Async<std::string> CreateTemplate(v1::FileTree template_files);

  // Makes the repository of an attempt with `main` at the template's commit.
  // Durable when it returns.
  Async<void> CreateRepository(RepositoryId repository,
                               std::string template_commit);
  // Removes an attempt's repository for good: its candidate's data is erased.
  // It is well that it is gone.
  Async<void> Remove(RepositoryId repository);
  // Where the repository is, for git's own programs. Checks the id's form,
  // not that the repository exists.
  Expected<std::filesystem::path> Path(const RepositoryId& repository) const;

  Async<CommitInfo> ReadCommit(RepositoryId repository, std::string commit);
  // The history of `commit`, newest first, at most `limit` commits.
  Async<std::vector<CommitInfo>> ReadHistory(RepositoryId repository,
                                             std::string commit, int limit);
  // True when `ancestor` is in the history of `commit` (or is it).
  Async<bool> IsAncestor(RepositoryId repository, std::string ancestor,
                         std::string commit);
  // What `new_commit` changes against `old_commit`; empty: against nothing.
  Async<Diff> ReadDiff(RepositoryId repository, std::string old_commit,
                       std::string new_commit);
  // What a commit holds for people to read; see notes.h.
  Async<std::vector<Note>> ReadNotes(RepositoryId repository,
                                     std::string template_commit,
                                     std::string commit);
  // Every ref, sorted by name.
  Async<std::vector<RefTip>> ReadRefs(RepositoryId repository);

  // Writes the pack that a worker gets. Each call writes a file of its own,
  // which is there until ForgetPack or the next start. Refuses trees that would
  // unpack to more than the limits in pack_writer.h.
  Async<Pack> WritePack(RepositoryId repository, std::string commit);
  // Removes a pack's file; it is well to name one that is gone.
  void ForgetPack(const Pack& pack);

  // Makes `refs/submissions/{number}` point at `commit`, durably.
  // kAlreadyExists when it points elsewhere.
  Async<void> WriteSubmissionRef(RepositoryId repository, int number,
                                 std::string commit);

  // Judges what git has received into `quarantine` for moving a ref from
  // `old_commit` to `new_commit`, before it does; see incoming.h.
  Async<void> CheckIncoming(RepositoryId repository,
                            std::filesystem::path quarantine,
                            std::string old_commit, std::string new_commit,
                            IncomingRules rules);
  // Removes leftovers as below, and answers with the bytes of the packs that
  // belong to this repository alone: before git works in it.
  Async<std::int64_t> Prepare(RepositoryId repository);
  // Writes a commit with the tree of `template_commit` on top of
  // `base_commit`, the template that the repository began with, and answers
  // with it. Nothing shows it yet: WriteBranch does.
  Async<std::string> WriteOfferCommit(RepositoryId repository,
                                      std::string base_commit,
                                      std::string template_commit);
  // Makes `refs/heads/{branch}` point at `commit`, durably. kAlreadyExists
  // when it points elsewhere.
  Async<void> WriteBranch(RepositoryId repository, std::string branch,
                          std::string commit);

  // Everything that another node needs to have this repository too, given its
  // template, and `commits` besides; see bundle.h. Only while no git changes
  // the repository.
  Async<std::string> WriteBundle(RepositoryId repository,
                                 std::string template_commit,
                                 std::vector<std::string> commits);
  // Makes the repository, where it is absent, and brings it to what `bundle`
  // says. Only while no git changes the repository.
  Async<void> ApplyBundle(RepositoryId repository, std::string template_commit,
                          std::string bundle);
  bool HasTemplate(const std::string& commit) const;
  Async<v1::FileTree> ReadTemplate(std::string commit);

  // Removes what a git that was killed has left: locks, which would stop every
  // later push, and objects that were not taken in. Only while no git works in
  // the repository.
  Async<void> RemoveLeftovers(RepositoryId repository);

  // Reads every object that the refs reach. Empty when all is well, else one
  // sentence for each problem.
  Async<std::vector<std::string>> Check(RepositoryId repository);

 private:
  class Pool;
  explicit Repositories(std::unique_ptr<Pool> pool);
  std::unique_ptr<Pool> pool_;
};

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_REPOSITORIES_H_
