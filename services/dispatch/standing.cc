// Which attached workers get runs, and what their ends say about them.
#include <spdlog/spdlog.h>

#include <utility>

#include "services/dispatch/dispatcher_state.h"

namespace assay::dispatch {
namespace {

// Of a worker whose record is still being read.
constexpr const char* kNotLookedUp = "it has just attached";
// Three in a row set it aside; good ends may lie between more of them.
constexpr std::size_t kFailedKept = 16;

}  // namespace

boost::asio::awaitable<bool> Dispatcher::State::LookUp(Self self,
                                                       std::uint64_t session,
                                                       Attach::Hello hello) {
  Attachment* attachment = self->roster.Find(session);
  attachment->held_back = kNotLookedUp;
  storage::WorkerRecord said;
  said.name = attachment->name;
  said.version = hello.version();
  said.cores = hello.cores();
  said.memory_bytes = hello.memory_bytes();
  said.offer = {.pool = hello.pool(),
                .labels = {hello.labels().begin(), hello.labels().end()}};
  const auto record = co_await self->book.Attach(
      std::move(said),
      {.certified = attachment->proof.certified(), .unfit = hello.unfit()});
  attachment = self->roster.Find(session);
  if (attachment == nullptr) co_return false;
  if (!record) {
    attachment->link->Close(
        record.error().Within("the worker could not be looked up"));
    co_return false;
  }
  // Held back meanwhile by a change that is newer than what was read.
  if (attachment->held_back == kNotLookedUp)
    attachment->held_back = workers::HeldBack(*record);
  attachment->has_faults = record->faults > 0;
  co_return true;
}

void Dispatcher::State::SetStanding(const std::string& name,
                                    const std::string& held_back) {
  runner::v1::AttachResponse response;
  response.mutable_standing()->set_held_back(held_back);
  bool changed = false;
  for (const auto& [id, attached] : roster.attachments()) {
    if (attached.name != name || attached.held_back == held_back) continue;
    Attachment& attachment = *roster.Find(id);
    attachment.held_back = held_back;
    if (held_back.empty()) {
      attachment.has_faults = false;
      attachment.failed.clear();
    }
    attachment.link->Send(response);
    changed = true;
  }
  if (!changed) return;
  if (held_back.empty()) {
    spdlog::info("worker {} gets runs", name);
    Offer();
  } else {
    spdlog::warn("worker {} gets no runs: {}", name, held_back);
  }
}

void Dispatcher::State::Blame(const RunId& run, std::uint64_t epoch,
                              std::string fault) {
  const LiveLease* lease = roster.FindLease(run, epoch);
  if (lease == nullptr) return;
  const Attachment* holder = roster.FindWorker(lease->run.worker);
  // Gone: nobody says what its name was.
  if (holder == nullptr) return;
  const std::string name = holder->name;
  for (const auto& [id, attached] : roster.attachments()) {
    if (attached.name != name) continue;
    Attachment& blamed = *roster.Find(id);
    blamed.has_faults = true;
    if (blamed.failed.size() == kFailedKept)
      blamed.failed.erase(blamed.failed.begin());
    blamed.failed.push_back(run);
  }
  Spawn(WriteBlame(shared_from_this(), name, run, std::move(fault)));
}

void Dispatcher::State::Praise(std::uint64_t session) {
  Attachment* attachment = roster.Find(session);
  if (attachment == nullptr || !std::exchange(attachment->has_faults, false))
    return;
  Spawn(WritePraise(shared_from_this(), attachment->name));
}

boost::asio::awaitable<void> Dispatcher::State::WriteBlame(Self self,
                                                           std::string name,
                                                           RunId run,
                                                           std::string fault) {
  const auto record = co_await self->book.AddFault(name, run, std::move(fault));
  if (!record) {
    spdlog::error("a fault of worker {} could not be written: {}", name,
                  record.error().message);
    co_return;
  }
  self->SetStanding(name, workers::HeldBack(*record));
}

boost::asio::awaitable<void> Dispatcher::State::WritePraise(Self self,
                                                            std::string name) {
  const auto written = co_await self->book.ClearFaults(name);
  if (!written)
    spdlog::error("the faults of worker {} could not be cleared: {}", name,
                  written.error().message);
}

}  // namespace assay::dispatch
