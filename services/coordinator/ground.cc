#include "services/coordinator/ground.h"

#include <fstream>
#include <utility>

#include "services/gateway/web_routes.h"
#include "services/git_http/pre_receive_hook.h"
#include "services/storage/bulletin.h"

namespace assay::coordinator {
namespace {

// With TLS, browsers come back by it alone.
gateway::HeaderFields FieldsOf(const Options& options) {
  gateway::HeaderFields fields = gateway::SecurityFields();
  if (options.tls.given() || options.public_url.starts_with("https://"))
    fields.emplace_back("Strict-Transport-Security", "max-age=31536000");
  return fields;
}

}  // namespace

std::optional<std::chrono::seconds> Ground::OldestTransaction() const {
  const std::int64_t age = *oldest_transaction;
  if (age < 0) return std::nullopt;
  return std::chrono::seconds(age);
}

const Clock& ClockOf(storage::Store& store, const Clock& own) {
  return store.bulletin() == nullptr ? own : store.bulletin()->clock();
}

Expected<Ground> OpenGround(boost::asio::any_io_executor strand,
                            const Options& options, const Clock& clock) {
  Ground ground;
  ASSAY_ASSIGN_OR_RETURN(ground.directory,
                         DataDirectory::Open(options.data_dir));
  ASSAY_ASSIGN_OR_RETURN(
      ground.node,
      nodes::OpenNodeName(ground.directory->node_file(), options.node));
  ASSAY_ASSIGN_OR_RETURN(
      ground.store,
      storage::OpenStore(options.store, ground.directory->path(),
                         [oldest = ground.oldest_transaction](auto age) {
                           *oldest = age.count();
                         }));
  ASSAY_ASSIGN_OR_RETURN(
      ground.blobs,
      storage::OpenBlobs(options.blobs, ground.directory->path()));
  ASSAY_ASSIGN_OR_RETURN(ground.repositories,
                         repositories::Repositories::Open(
                             {.root = ground.directory->repositories()}));
  ASSAY_ASSIGN_OR_RETURN(auto signer, submissions::ReceiptSigner::Open(
                                          ground.directory->receipt_key()));
  ground.signer =
      std::make_unique<submissions::ReceiptSigner>(std::move(signer));
  ASSAY_RETURN_IF_ERROR(git_http::InstallHook(ground.directory->hooks()));
  gateway::HttpOptions web{.address = options.web_address,
                           .fields = FieldsOf(options)};
  if (options.tls.given()) {
    ASSAY_ASSIGN_OR_RETURN(
        ground.tls, gateway::TlsIdentity::Load(strand, options.tls, clock));
    ASSAY_RETURN_IF_ERROR(ground.tls->Watch());
    ASSAY_ASSIGN_OR_RETURN(
        auto authority, workers::CertificateAuthority::Open(
                            ground.directory->worker_authority(), clock.Now()));
    ground.enrolments = std::make_unique<workers::Enrolments>(
        *ground.store, ClockOf(*ground.store, clock), std::move(authority),
        options.worker_certificate_life);
    web.tls = [tls = ground.tls.get()] { return tls->current()->context; };
  }
  // Taken early: with port 0, links are known only from here on.
  ASSAY_ASSIGN_OR_RETURN(ground.web,
                         gateway::HttpServer::Listen(strand, std::move(web)));
  return ground;
}

boost::asio::awaitable<Status> ShareReceiptKey(Ground& ground) {
  if (ground.store->bulletin() == nullptr) co_return Status();
  const auto file = ground.directory->receipt_key();
  std::string own;
  std::ifstream(file) >> own;
  const auto key =
      co_await ground.store->Write([own](storage::Transaction& tx) {
        return tx.nodes.ShareSecret("receipt.key", own);
      });
  if (!key) co_return std::unexpected(key.error());
  if (*key == own) co_return Status();
  auto signer = submissions::ReceiptSigner::Replace(file, *key);
  if (!signer) co_return std::unexpected(signer.error());
  *ground.signer = *std::move(signer);
  co_return Status();
}

}  // namespace assay::coordinator
