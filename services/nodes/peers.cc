#include "services/nodes/peers.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "assay/v1/peer_service.grpc.pb.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::nodes {
namespace {

namespace asio = boost::asio;
using runs::RunFeed;
using runs::SharedEvent;

// One stream of one run from one node. Reads the next batch when the strand
// has taken the one before.
//
// Threads: gRPC's, and the strand; owned by itself until gRPC is done with it.
class FollowCall final : public grpc::ClientReadReactor<v1::FollowRunResponse>,
                         public std::enable_shared_from_this<FollowCall> {
 public:
  using Heard = std::function<void(std::vector<SharedEvent>)>;
  using Ended = std::function<void(const grpc::Status&)>;

  // `heard` and `ended` are called on the strand.
  FollowCall(asio::any_io_executor strand, Heard heard, Ended ended)
      : strand_(std::move(strand)),
        heard_(std::move(heard)),
        ended_(std::move(ended)) {}

  void Start(v1::PeerService::Stub& stub, const RunId& run,
             const std::string& token) {
    self_ = shared_from_this();
    context_.AddMetadata("authorization", "Bearer " + token);
    request_.set_name(rpc::FormatName("runs", run));
    stub.async()->FollowRun(&context_, &request_, this);
    // Reads begin on the strand, outside of reactions.
    AddHold();
    StartRead(&response_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    std::vector<SharedEvent> events;
    for (v1::RunEvent& event : *response_.mutable_events())
      events.push_back(std::make_shared<const v1::RunEvent>(std::move(event)));
    asio::post(strand_, [this, events = std::move(events)]() mutable {
      heard_(std::move(events));
      response_.Clear();
      StartRead(&response_);
    });
  }
  void OnDone(const grpc::Status& status) override {
    asio::post(strand_,
               [self = std::move(self_), status] { self->ended_(status); });
  }

 private:
  const asio::any_io_executor strand_;
  const Heard heard_;
  const Ended ended_;
  grpc::ClientContext context_;
  v1::FollowRunRequest request_;
  v1::FollowRunResponse response_;
  std::shared_ptr<FollowCall> self_;
};

std::unique_ptr<v1::PeerService::Stub> Connect(const std::string& address,
                                               const std::string& roots) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // A peer that is gone without a word is noticed.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetMaxReceiveMessageSize(-1);
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = roots;
  return v1::PeerService::NewStub(grpc::CreateCustomChannel(
      address,
      roots.empty() ? grpc::InsecureChannelCredentials()
                    : grpc::SslCredentials(ssl),
      arguments));
}

}  // namespace

class Peers::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor strand, const Membership& membership,
        RunFeed& feed)
      : strand_(std::move(strand)), membership_(membership), feed_(feed) {}

  void Start(PeerOptions options) {
    options_ = std::move(options);
    started_ = true;
  }
  void Follow(const RunId& run);
  void Sync();
  static asio::awaitable<void> Stop(std::shared_ptr<State> self);
  // Nothing of what is borrowed is touched from here on.
  void Drop() { started_ = false; }

 private:
  using Key = std::pair<std::string, RunId>;

  void FollowAt(const storage::NodeRecord& node, const RunId& run);
  void Heard(const Key& key, const std::vector<SharedEvent>& events) {
    silent_.erase(key.first);
    if (started_) feed_.HearEvents(key.second, events);
  }
  void Ended(const Key& key, const grpc::Status& status);

  const asio::any_io_executor strand_;
  const Membership& membership_;
  RunFeed& feed_;
  PeerOptions options_;
  bool started_ = false;
  // By the address: a node that was started anew may have another.
  std::map<std::string, std::unique_ptr<v1::PeerService::Stub>> stubs_;
  std::map<Key, std::shared_ptr<FollowCall>> calls_;
  // A node that beats and cannot be followed, by its address, from one
  // heartbeat to another; until something is heard of it.
  struct Silence {
    Clock::TimePoint since;
    Clock::TimePoint until;
    bool said = false;
  };
  std::map<std::string, Silence> silent_;
};

void Peers::State::Follow(const RunId& run) {
  if (!started_) return;
  for (const storage::NodeRecord& node : membership_.others())
    if (membership_.StandingOf(node) == Membership::Standing::kLive &&
        !node.grpc_address.empty())
      FollowAt(node, run);
}

void Peers::State::FollowAt(const storage::NodeRecord& node, const RunId& run) {
  const Key key(node.grpc_address, run);
  if (calls_.contains(key)) return;
  auto& stub = stubs_[node.grpc_address];
  if (!stub) stub = Connect(node.grpc_address, options_.roots);
  const std::weak_ptr<State> weak = weak_from_this();
  auto call = std::make_shared<FollowCall>(
      strand_,
      [weak, key](const std::vector<SharedEvent>& events) {
        if (const auto state = weak.lock()) state->Heard(key, events);
      },
      [weak, key](const grpc::Status& status) {
        if (const auto state = weak.lock()) state->Ended(key, status);
      });
  calls_.emplace(key, call);
  call->Start(*stub, run, options_.token);
}

// A stream that fails makes watchers wait, and nothing else: what it would have
// brought is read from the store. So nobody would see that none is ever made,
// though the other node is there.
void Peers::State::Ended(const Key& key, const grpc::Status& status) {
  constexpr std::chrono::seconds kPatience{2};
  constexpr std::chrono::seconds kApart{5};
  const std::string& address = key.first;
  calls_.erase(key);
  if (!started_ || status.ok() ||
      status.error_code() == grpc::StatusCode::CANCELLED)
    return;
  const auto node = std::ranges::find(membership_.others(), address,
                                      &storage::NodeRecord::grpc_address);
  if (node == membership_.others().end()) return;
  const Clock::TimePoint beat = node->heartbeat;
  Silence& silence =
      silent_.try_emplace(address, Silence{.since = beat, .until = beat})
          .first->second;
  if (beat > silence.until + kApart) silence.since = beat;
  silence.until = beat;
  if (silence.said || beat < silence.since + kPatience) return;
  silence.said = true;
  spdlog::warn(
      "{} sends no events of runs, which are read from the store instead, up "
      "to a second later: {}{}",
      address, status.error_message(),
      options_.roots.empty()
          ? ""
          : " (--node-ca says which authority the coordinators trust each "
            "other by, --advertise the name that a certificate is for)");
}

void Peers::State::Sync() {
  if (!started_) return;
  const std::vector<RunId> watched = feed_.WatchedRuns();
  const std::set<RunId> wanted(watched.begin(), watched.end());
  for (const auto& [key, call] : calls_)
    if (!wanted.contains(key.second)) call->Cancel();
  for (const RunId& run : watched) Follow(run);
}

asio::awaitable<void> Peers::State::Stop(std::shared_ptr<State> self) {
  self->Drop();
  for (const auto& [key, call] : self->calls_) call->Cancel();
  constexpr int kTries = 100;
  asio::steady_timer timer(self->strand_);
  for (int i = 0; i < kTries && !self->calls_.empty(); ++i) {
    timer.expires_after(std::chrono::milliseconds(10));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  self->stubs_.clear();
}

Peers::Peers(asio::any_io_executor strand, const Membership& membership,
             RunFeed& feed)
    : state_(std::make_shared<State>(std::move(strand), membership, feed)) {}
Peers::~Peers() { state_->Drop(); }

void Peers::Start(PeerOptions options) { state_->Start(std::move(options)); }
void Peers::Follow(const RunId& run) { state_->Follow(run); }
void Peers::Sync() { state_->Sync(); }
asio::awaitable<void> Peers::Stop() { return State::Stop(state_); }

void PeerService::Register(rpc::MethodRegistry& registry) {
  rpc::Register(registry, "assay.v1.PeerService/FollowRun", this,
                &PeerService::FollowRun);
}

rpc::Async<void> PeerService::FollowRun(
    rpc::CallContext context, v1::FollowRunRequest request,
    rpc::StreamWriter<v1::FollowRunResponse> writer) {
  ASSAY_CO_ASSIGN_OR_RETURN(const RunId run,
                            rpc::ParseName<RunId>("runs", request.name()));
  const auto watch = feed_.WatchRun(run, RunFeed::Watcher::kElsewhere);
  for (;;) {
    ASSAY_CO_ASSIGN_OR_RETURN(const RunFeed::Watch::Batch batch,
                              co_await watch->Next());
    v1::FollowRunResponse response;
    for (const SharedEvent& event : batch.events)
      *response.add_events() = *event;
    if (response.events().empty()) continue;
    ASSAY_CO_RETURN_IF_ERROR(co_await writer.Write(std::move(response)));
  }
}

}  // namespace assay::nodes
