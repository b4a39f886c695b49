#ifndef ASSAY_SERVICES_COORDINATOR_GROUND_H_
#define ASSAY_SERVICES_COORDINATOR_GROUND_H_

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/coordinator/data_directory.h"
#include "services/coordinator/options.h"
#include "services/gateway/http_server.h"
#include "services/gateway/tls_identity.h"
#include "services/nodes/node_name.h"
#include "services/repositories/repositories.h"
#include "services/storage/blobs/open_blobs.h"
#include "services/storage/open_store.h"
#include "services/submissions/receipt_service.h"
#include "services/workers/enrolments.h"

namespace assay::coordinator {

// What everything else stands on: the data directory, the store, the blobs, the
// keys, and the web port, which is taken early.
//
// Threads: made and used on the strand.
struct Ground {
  std::unique_ptr<DataDirectory> directory;
  // Seconds; below 0 until the store has looked.
  std::shared_ptr<std::atomic<std::int64_t>> oldest_transaction =
      std::make_shared<std::atomic<std::int64_t>>(-1);
  nodes::NodeName node;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<storage::BlobStore> blobs;
  std::unique_ptr<repositories::Repositories> repositories;
  // Null, both: no TLS.
  std::unique_ptr<workers::Enrolments> enrolments;
  std::unique_ptr<gateway::TlsIdentity> tls;
  std::unique_ptr<gateway::HttpServer> web;
  std::unique_ptr<submissions::ReceiptSigner> signer;

  // How old the store's oldest transaction is; none where it has not looked.
  std::optional<std::chrono::seconds> OldestTransaction() const;
};

// Where a store is shared, its clock is what all go by.
const Clock& ClockOf(storage::Store& store, const Clock& own);

// In one line what could not be opened, and what to do.
Expected<Ground> OpenGround(boost::asio::any_io_executor strand,
                            const Options& options, const Clock& clock);

// Receipts of one installation are signed with one key: the first node's.
boost::asio::awaitable<Status> ShareReceiptKey(Ground& ground);

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_GROUND_H_
