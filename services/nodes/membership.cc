#include "services/nodes/membership.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "proto/base/digest.h"
#include "services/storage/blobs/blob_store.h"

namespace assay::nodes {
namespace {

namespace asio = boost::asio;
using storage::NodeRecord;
using storage::Transaction;

// What a node leaves in its blob store, and the others look for in theirs.
std::string MarkOf(const std::string& name, const std::string& instance) {
  return "node " + name + " " + instance + " keeps its blobs here\n";
}

}  // namespace

Membership::Membership(asio::any_io_executor strand, storage::Store& store,
                       storage::BlobStore& blobs, const Clock& clock,
                       NodeName self, MembershipOptions options)
    : strand_(std::move(strand)),
      store_(store),
      blobs_(blobs),
      clock_(clock),
      self_(std::move(self)),
      options_(std::move(options)),
      timer_(strand_) {}

Membership::~Membership() {
  Stop();
  *alive_ = false;
}

rpc::Async<void> Membership::Join() {
  NodeRecord row;
  row.name = self_.name;
  row.instance = self_.instance;
  row.version = options_.version;
  row.start_time = clock_.Now();
  auto others =
      co_await store_.Read([](Transaction& tx) { return tx.nodes.List(); });
  if (!others) co_return std::unexpected(others.error());
  std::erase_if(*others, [&](const NodeRecord& node) {
    return node.name == self_.name && node.instance == self_.instance;
  });
  if (store_.bulletin() == nullptr) others->clear();
  others_ = *std::move(others);
  ASSAY_CO_RETURN_IF_ERROR(co_await CheckBlobs());
  const bool shared = store_.bulletin() != nullptr;
  co_return co_await store_.Write([row, shared](Transaction& tx) -> Status {
    if (!shared) {
      // What the data directory was called before, as in a backup.
      ASSAY_ASSIGN_OR_RETURN(const auto before, tx.nodes.List());
      for (const NodeRecord& node : before)
        if (node.name != row.name || node.instance != row.instance) {
          ASSAY_RETURN_IF_ERROR(tx.nodes.Forget(node.name));
          ASSAY_RETURN_IF_ERROR(tx.tokens.RemoveOfNode("nodes/" + node.name));
        }
      ASSAY_RETURN_IF_ERROR(tx.nodes.Register(row));
      return tx.repositories.TakeAll(row.name);
    }
    ASSAY_RETURN_IF_ERROR(tx.nodes.Register(row));
    ASSAY_ASSIGN_OR_RETURN(const auto nodes, tx.nodes.List());
    // With others about, who had them cannot be known: nobody did.
    if (nodes.size() > 1) return {};
    return tx.repositories.TakeHomeless(row.name);
  });
}

rpc::Async<void> Membership::CheckBlobs() {
  // With SQLite there is nobody to compare with.
  if (store_.bulletin() == nullptr) co_return Status();
  ASSAY_CO_RETURN_IF_ERROR(
      co_await blobs_.Put(MarkOf(self_.name, self_.instance)));
  for (const NodeRecord& other : others_) {
    // One that is lost must not keep the last one from starting.
    if (clock_.Now() - other.heartbeat > options_.lost_after) continue;
    ASSAY_CO_ASSIGN_OR_RETURN(
        const bool shared,
        co_await blobs_.Has(Sha256Hex(MarkOf(other.name, other.instance))));
    if (!shared)
      co_return FailedPrecondition(
          "node \"", other.name,
          "\" serves this store and keeps its blobs in another place: give "
          "all nodes one --blobs directory that they share, or `assay admin "
          "node forget ",
          other.name, "` if it is gone");
  }
  co_return Status();
}

void Membership::Serve(std::string grpc_address, std::string web_address,
                       std::function<void()> on_beat,
                       std::function<void()> on_forgotten) {
  grpc_address_ = std::move(grpc_address);
  web_address_ = std::move(web_address);
  on_beat_ = std::move(on_beat);
  on_forgotten_ = std::move(on_forgotten);
  asio::co_spawn(strand_, Loop(alive_), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

void Membership::Stop() {
  stopped_ = true;
  timer_.cancel();
}

void Membership::Wake() { timer_.cancel(); }

asio::awaitable<void> Membership::Loop(std::shared_ptr<bool> alive) {
  while (*alive && !stopped_) {
    const Status beaten = co_await Beat(alive);
    if (!*alive || stopped_) co_return;
    if (!beaten && beaten.error().code == Code::kNotFound)
      co_return on_forgotten_();
    if (beaten)
      on_beat_();
    else
      spdlog::warn("heartbeat: {}", beaten.error().message);
    if (options_.heartbeat.count() == 0) co_return;
    timer_.expires_after(options_.heartbeat);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

rpc::Async<void> Membership::Beat(std::shared_ptr<bool> alive) {
  NodeRecord row;
  row.name = self_.name;
  row.instance = self_.instance;
  row.grpc_address = grpc_address_;
  row.web_address = web_address_;
  row.heartbeat = clock_.Now();
  row.load = options_.load();
  struct Seen {
    NodeRecord self;
    std::vector<NodeRecord> all;
  };
  auto seen = co_await store_.Write([row](Transaction& tx) -> Expected<Seen> {
    Seen found;
    ASSAY_ASSIGN_OR_RETURN(found.self, tx.nodes.Beat(row));
    ASSAY_ASSIGN_OR_RETURN(found.all, tx.nodes.List());
    return found;
  });
  // The coordinator may have gone while the store answered.
  if (!*alive) co_return Status();
  if (!seen) co_return std::unexpected(std::move(seen).error());
  draining_ = seen->self.draining;
  std::erase_if(seen->all, [&](const NodeRecord& node) {
    return node.name == self_.name;
  });
  others_ = std::move(seen->all);
  co_return Status();
}

const NodeRecord* Membership::Find(const std::string& name) const {
  const auto it = std::ranges::find(others_, name, &NodeRecord::name);
  return it == others_.end() ? nullptr : &*it;
}

Membership::Standing Membership::StandingOf(const NodeRecord& node) const {
  if (node.name == self_.name) return Standing::kLive;
  const auto silence = clock_.Now() - node.heartbeat;
  if (silence > options_.lost_after) return Standing::kLost;
  return silence > options_.silent_after ? Standing::kSilent : Standing::kLive;
}

Membership::Standing Membership::StandingOf(const std::string& name) const {
  if (name == self_.name) return Standing::kLive;
  const NodeRecord* node = Find(name);
  return node == nullptr ? Standing::kLost : StandingOf(*node);
}

bool Membership::HasLiveOthers() const {
  return std::ranges::any_of(others_, [&](const NodeRecord& node) {
    return StandingOf(node) == Standing::kLive;
  });
}

bool Membership::HasServingOthers() const {
  return std::ranges::any_of(others_, [this](const NodeRecord& node) {
    return !node.draining && StandingOf(node) == Standing::kLive;
  });
}

}  // namespace assay::nodes
