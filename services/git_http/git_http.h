#ifndef ASSAY_SERVICES_GIT_HTTP_GIT_HTTP_H_
#define ASSAY_SERVICES_GIT_HTTP_GIT_HTTP_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string_view>

#include "services/gateway/http_exchange.h"
#include "services/git_http/receive_pack.h"
#include "services/identity/identity.h"

namespace assay::git_http {

// What a path under /git/ asks for.
struct GitRoute {
  enum class Action { kAdvertise, kUploadPack, kReceivePack };
  RepositoryId repository;
  Action action = Action::kAdvertise;
};

// Parses "/git/rep_x.git/info/refs" and its two siblings, exactly. The "dumb"
// protocol, which serves files by name, does not exist here.
std::optional<GitRoute> ParseGitRoute(std::string_view path);

// Git's smart HTTP protocol, versions 0 to 2. Every request needs a token of
// the repository; one without is told so first, as git expects.
//
// Ownership: borrows all that it is made of. Threads: confined to `strand`.
class GitHttp {
 public:
  // Sees to it that a repository is on this disk as it is at its home, where
  // several coordinators share them. Absent: there is one.
  using ReadyToRead = std::function<gateway::Async<void>(RepositoryId)>;

  GitHttp(boost::asio::any_io_executor strand, identity::Identity& identity,
          repositories::Repositories& repositories, ReceivePack& receive_pack,
          std::filesystem::path spool_directory, ReadyToRead ready = {});

  boost::asio::awaitable<void> Handle(gateway::HttpExchange& exchange);

 private:
  boost::asio::awaitable<void> Dispatch(gateway::HttpExchange& exchange,
                                        GitRoute route,
                                        identity::GitAccess access);

  const boost::asio::any_io_executor strand_;
  identity::Identity& identity_;
  repositories::Repositories& repositories_;
  ReceivePack& receive_pack_;
  const std::filesystem::path spool_directory_;
  const ReadyToRead ready_;
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_GIT_HTTP_H_
