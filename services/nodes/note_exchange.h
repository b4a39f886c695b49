#ifndef ASSAY_SERVICES_NODES_NOTE_EXCHANGE_H_
#define ASSAY_SERVICES_NODES_NOTE_EXCHANGE_H_

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/id.h"
#include "services/runs/run_feed.h"
#include "services/storage/store.h"

namespace assay::nodes {

// What a note from another coordinator is for; called on the strand.
struct NoteParts {
  // Whether anybody is there to be told.
  std::function<bool()> has_others;
  // A run's state was changed: whoever has its lease looks.
  std::function<void(RunId)> run_changed;
  // A worker was drained, resumed or set aside.
  std::function<void(std::string)> worker_changed;
  // An attempt's clock was moved or started.
  std::function<void()> clock_changed;
  // A message was put into the outbox.
  std::function<void()> message_waits;
  // A node's row was changed.
  std::function<void()> node_changed;
  // Something was handed in from a repository: its home writes the ref.
  std::function<void(RepositoryId)> submitted;
  // A repository is being erased: copies go too.
  std::function<void(RepositoryId)> erased;
};

// Tells other coordinators what changed here, and hears it of them: through
// the store's bulletin, so that it is a wake-up and no more. Each thing that is
// told of is found by somebody's sweep too.
//
// Ownership: borrows store and feed. Threads: confined to `strand`.
class NoteExchange {
 public:
  NoteExchange(boost::asio::any_io_executor strand, storage::Store& store,
               runs::RunFeed& feed, NoteParts parts);
  ~NoteExchange();
  NoteExchange(const NoteExchange&) = delete;
  NoteExchange& operator=(const NoteExchange&) = delete;

  void Start();
  void Stop();

  void TellWorkerChanged(const std::string& name);
  void TellClockChanged();
  void TellMessageWaits();
  void TellNodeChanged();
  void TellSubmitted(const RepositoryId& repository);
  void TellErased(const RepositoryId& repository);
  // Makes watchers of runs that are executed elsewhere read what is new: what
  // a lost note, or a lost stream, would leave untold. Once a second.
  void Sweep();

 private:
  struct State;
  void Post(std::string note);

  std::shared_ptr<State> state_;
};

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_NOTE_EXCHANGE_H_
