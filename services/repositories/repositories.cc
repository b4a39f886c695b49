#include "services/repositories/repositories.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "services/repositories/bundle.h"
#include "services/repositories/diff.h"
#include "services/repositories/durable_files.h"
#include "services/repositories/fixed_refs.h"
#include "services/repositories/handles.h"
#include "services/repositories/history.h"
#include "services/repositories/incoming.h"
#include "services/repositories/integrity.h"
#include "services/repositories/leftovers.h"
#include "services/repositories/notes.h"
#include "services/repositories/pack_writer.h"
#include "services/repositories/template_offer.h"
#include "services/repositories/template_store.h"

namespace assay::repositories {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

// What a repository is called while it is removed.
constexpr char kGone[] = ".gone";

}  // namespace

class Repositories::Pool {
 public:
  explicit Pool(const Options& options)
      : root(options.root),
        templates(options.root / "templates"),
        threads_(static_cast<std::size_t>(options.threads)) {}
  ~Pool() { threads_.join(); }

  // Runs `work` on the pool and goes on where the caller was.
  template <class T>
  Async<T> Run(std::move_only_function<Expected<T>()> work) {
    return asio::async_initiate<const asio::use_awaitable_t<>&,
                                void(Expected<T>)>(
        [this](auto handler, std::move_only_function<Expected<T>()> job) {
          auto origin = asio::prefer(asio::get_associated_executor(handler),
                                     asio::execution::outstanding_work.tracked);
          asio::post(threads_,
                     [job = std::move(job), handler = std::move(handler),
                      origin = std::move(origin)]() mutable {
                       asio::post(origin, [handler = std::move(handler),
                                           result = job()]() mutable {
                         std::move(handler)(std::move(result));
                       });
                     });
        },
        asio::use_awaitable, std::move(work));
  }

  // The same with the open repository at `path`.
  template <class T>
  Async<T> With(Expected<fs::path> path,
                std::move_only_function<Expected<T>(git_repository*)> work) {
    return Run<T>([path = std::move(path),
                   work = std::move(work)]() mutable -> Expected<T> {
      if (!path) return std::unexpected(std::move(path).error());
      if (!fs::exists(*path / "HEAD"))
        return NotFound("no repository ", path->stem().string());
      ASSAY_ASSIGN_OR_RETURN(const RepositoryHandle repository,
                             OpenBare(*path));
      return work(repository.get());
    });
  }

  const fs::path root;
  const TemplateStore templates;

 private:
  asio::thread_pool threads_;
};

Expected<std::unique_ptr<Repositories>> Repositories::Open(Options options) {
  StartLibgit2();
  std::error_code error;
  // Packs are leases' leftovers: whoever needs one writes it again.
  fs::remove_all(options.root / "packs", error);
  for (const char* name : {"templates", "attempts", "packs"}) {
    fs::create_directories(options.root / name, error);
    if (error)
      return SystemError("make " + (options.root / name).string(),
                         error.value());
  }
  for (const auto& entry : fs::directory_iterator(options.root / "attempts"))
    if (entry.path().extension() == kGone) fs::remove_all(entry.path(), error);
  for (const auto& entry : fs::directory_iterator(options.root / "templates"))
    if (entry.path().filename().string().starts_with("tmp-"))
      fs::remove_all(entry.path(), error);
  return std::unique_ptr<Repositories>(
      new Repositories(std::make_unique<Pool>(options)));
}

Repositories::Repositories(std::unique_ptr<Pool> pool)
    : pool_(std::move(pool)) {}
Repositories::~Repositories() = default;

Expected<fs::path> Repositories::Path(const RepositoryId& repository) const {
  const std::string& id = repository.str();
  const bool well_formed =
      id.size() == 24 && id.starts_with("rep_") &&
      id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz", 4) ==
          std::string::npos;
  if (!well_formed) return NotFound("no such repository");
  return pool_->root / "attempts" / (id + ".git");
}

Async<std::string> Repositories::CreateTemplate(v1::FileTree files) {
  return pool_->Run<std::string>(
      [pool = pool_.get(), files = std::move(files)] {
        return pool->templates.Create(files);
      });
}

Async<void> Repositories::CreateRepository(RepositoryId repository,
                                           std::string template_commit) {
  return pool_->Run<void>([pool = pool_.get(), path = Path(repository),
                           commit = std::move(template_commit)]() -> Status {
    if (!path) return std::unexpected(path.error());
    return pool->templates.CreateRepository(commit, *path);
  });
}

Async<void> Repositories::Remove(RepositoryId repository) {
  return pool_->Run<void>([path = Path(repository)]() -> Status {
    if (!path) return std::unexpected(path.error());
    // A ref of a submission may be on its way: it finds nothing any more, and
    // makes nothing under what is being removed.
    const fs::path gone = path->string() + kGone;
    std::error_code error;
    fs::remove_all(gone, error);
    if (!error && fs::exists(*path)) fs::rename(*path, gone, error);
    if (!error) fs::remove_all(gone, error);
    if (error) return SystemError("remove " + path->string(), error.value());
    return {};
  });
}

Async<CommitInfo> Repositories::ReadCommit(RepositoryId repository,
                                           std::string commit) {
  return pool_->With<CommitInfo>(
      Path(repository), [commit = std::move(commit)](git_repository* handle) {
        return repositories::ReadCommit(handle, commit);
      });
}

Async<std::vector<CommitInfo>> Repositories::ReadHistory(
    RepositoryId repository, std::string commit, int limit) {
  return pool_->With<std::vector<CommitInfo>>(
      Path(repository),
      [commit = std::move(commit), limit](git_repository* handle) {
        return repositories::ReadHistory(handle, commit, limit);
      });
}

Async<bool> Repositories::IsAncestor(RepositoryId repository,
                                     std::string ancestor, std::string commit) {
  return pool_->With<bool>(
      Path(repository), [ancestor = std::move(ancestor),
                         commit = std::move(commit)](git_repository* handle) {
        return repositories::IsAncestor(handle, ancestor, commit);
      });
}

Async<Diff> Repositories::ReadDiff(RepositoryId repository,
                                   std::string old_commit,
                                   std::string new_commit) {
  return pool_->With<Diff>(Path(repository), [before = std::move(old_commit),
                                              after = std::move(new_commit)](
                                                 git_repository* handle) {
    return repositories::ReadDiff(handle, before, after);
  });
}

Async<std::vector<Note>> Repositories::ReadNotes(RepositoryId repository,
                                                 std::string template_commit,
                                                 std::string commit) {
  return pool_->With<std::vector<Note>>(
      Path(repository), [before = std::move(template_commit),
                         after = std::move(commit)](git_repository* handle) {
        return repositories::ReadNotes(handle, before, after);
      });
}

Async<std::vector<RefTip>> Repositories::ReadRefs(RepositoryId repository) {
  return pool_->With<std::vector<RefTip>>(
      Path(repository),
      [](git_repository* handle) { return repositories::ReadRefs(handle); });
}

Async<Pack> Repositories::WritePack(RepositoryId repository,
                                    std::string commit) {
  return pool_->Run<Pack>(
      [path = Path(repository), commit = std::move(commit),
       file = pool_->root / "packs" /
              (RandomToken() + ".pack")]() -> Expected<Pack> {
        if (!path) return std::unexpected(path.error());
        if (!fs::exists(*path / "HEAD"))
          return NotFound("no repository ", path->stem().string());
        return WriteCommitPack(*path, commit, file);
      });
}

void Repositories::ForgetPack(const Pack& pack) {
  std::error_code ignored;
  fs::remove(pack.path, ignored);
}

Async<void> Repositories::WriteSubmissionRef(RepositoryId repository,
                                             int number, std::string commit) {
  return pool_->With<void>(
      Path(repository),
      [path = Path(repository),
       name = "refs/submissions/" + std::to_string(number),
       commit = std::move(commit)](git_repository* handle) -> Status {
        // Rows say where these refs point, so that one that is lost with the
        // power comes back at the start.
        ASSAY_ASSIGN_OR_RETURN(const bool there,
                               HasFixedRef(handle, name, commit));
        if (there) return {};
        return WriteFixedRef(handle, *path, name, commit);
      });
}

Async<void> Repositories::CheckIncoming(RepositoryId repository,
                                        fs::path quarantine,
                                        std::string old_commit,
                                        std::string new_commit,
                                        IncomingRules rules) {
  return pool_->Run<void>([path = Path(repository),
                           quarantine = std::move(quarantine),
                           before = std::move(old_commit),
                           after = std::move(new_commit),
                           rules = std::move(rules)]() -> Status {
    if (!path) return std::unexpected(path.error());
    return repositories::CheckIncoming(*path, quarantine, before, after, rules);
  });
}

Async<std::int64_t> Repositories::Prepare(RepositoryId repository) {
  return pool_->Run<std::int64_t>(
      [path = Path(repository)]() -> Expected<std::int64_t> {
        if (!path) return std::unexpected(path.error());
        ASSAY_RETURN_IF_ERROR(repositories::RemoveLeftovers(*path));
        return PackedBytes(*path);
      });
}

Async<std::string> Repositories::WriteOfferCommit(RepositoryId repository,
                                                  std::string base_commit,
                                                  std::string template_commit) {
  return pool_->With<std::string>(
      Path(repository), [store = pool_->templates.Path(template_commit),
                         base = std::move(base_commit),
                         offered = template_commit](git_repository* handle) {
        return repositories::WriteOfferCommit(handle, store, base, offered);
      });
}

Async<void> Repositories::WriteBranch(RepositoryId repository,
                                      std::string branch, std::string commit) {
  return pool_->With<void>(
      Path(repository), [branch = std::move(branch),
                         commit = std::move(commit)](git_repository* handle) {
        return repositories::WriteBranch(handle, branch, commit);
      });
}

Async<std::string> Repositories::WriteBundle(RepositoryId repository,
                                             std::string template_commit,
                                             std::vector<std::string> commits) {
  return pool_->With<std::string>(
      Path(repository), [commit = std::move(template_commit),
                         also = std::move(commits)](git_repository* handle) {
        return repositories::WriteBundle(handle, commit, also);
      });
}

Async<void> Repositories::ApplyBundle(RepositoryId repository,
                                      std::string template_commit,
                                      std::string bundle) {
  return pool_->Run<void>([pool = pool_.get(), path = Path(repository),
                           commit = std::move(template_commit),
                           bundle = std::move(bundle)]() -> Status {
    if (!path) return std::unexpected(path.error());
    ASSAY_RETURN_IF_ERROR(pool->templates.CreateRepository(commit, *path));
    ASSAY_RETURN_IF_ERROR(repositories::RemoveLeftovers(*path));
    ASSAY_ASSIGN_OR_RETURN(const RepositoryHandle handle, OpenBare(*path));
    return repositories::ApplyBundle(handle.get(), bundle, commit);
  });
}

bool Repositories::HasTemplate(const std::string& commit) const {
  return fs::exists(pool_->templates.Path(commit));
}

Async<v1::FileTree> Repositories::ReadTemplate(std::string commit) {
  return pool_->Run<v1::FileTree>([path = pool_->templates.Path(commit),
                                   commit]() -> Expected<v1::FileTree> {
    ASSAY_ASSIGN_OR_RETURN(const RepositoryHandle store, OpenBare(path));
    return ReadTemplateFiles(store.get(), commit);
  });
}

Async<void> Repositories::RemoveLeftovers(RepositoryId repository) {
  return pool_->Run<void>([path = Path(repository)]() -> Status {
    if (!path) return std::unexpected(path.error());
    return repositories::RemoveLeftovers(*path);
  });
}

Async<std::vector<std::string>> Repositories::Check(RepositoryId repository) {
  return pool_->With<std::vector<std::string>>(
      Path(repository),
      [](git_repository* handle) { return CheckReachable(handle); });
}

}  // namespace assay::repositories
