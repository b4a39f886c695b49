#include "services/storage/postgres/postgres_bulletin.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "services/storage/postgres/session.h"

namespace assay::storage {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskInterval{1'000};
// A server that answers slowly says its time inexactly.
constexpr milliseconds kAskPatience{100};
constexpr milliseconds kFirstPatience{2'000};
constexpr milliseconds kReconnectPause{200};
// NOTIFY takes up to 8,000 bytes.
constexpr std::size_t kMaxPayload = 7'000;
// The skew from which on people are told.
constexpr std::chrono::seconds kSkewToTell{2};
// So many notes to itself that do not come back make a bulletin deaf: one may
// be on its way.
constexpr int kUnheardToBeDeaf = 2;

std::int64_t Micros(steady_clock::time_point time) {
  return duration_cast<microseconds>(time.time_since_epoch()).count();
}

}  // namespace

Clock::TimePoint ServerClock::Now() const {
  return FromMicros(Micros(steady_clock::now()) +
                    offset_.load(std::memory_order_relaxed));
}

Expected<microseconds> ServerClock::Ask(PostgresConnection& connection,
                                        milliseconds patience) {
  const auto before = steady_clock::now();
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result answer,
      connection.Execute("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * "
                         "1000000)::BIGINT"));
  const auto after = steady_clock::now();
  const std::int64_t server = answer.rows.front().Int(0);
  const std::int64_t middle = (Micros(before) + Micros(after)) / 2;
  if (after - before <= patience)
    offset_.store(server - middle, std::memory_order_relaxed);
  return microseconds(ToMicros(SystemClock().Now()) - server);
}

PostgresBulletin::PostgresBulletin(const PostgresDsn& dsn)
    : dsn_(dsn), sender_(RandomToken(12)) {}

Expected<std::unique_ptr<PostgresBulletin>> PostgresBulletin::Open(
    const PostgresDsn& dsn) {
  std::unique_ptr<PostgresBulletin> bulletin(new PostgresBulletin(dsn));
  ASSAY_RETURN_IF_ERROR(bulletin->Connect());
  bulletin->AskTime(kFirstPatience);
  bulletin->wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bulletin->thread_ = std::thread([raw = bulletin.get()] { raw->Loop(); });
  return bulletin;
}

PostgresBulletin::~PostgresBulletin() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  Nudge();
  if (thread_.joinable()) thread_.join();
  if (wake_ >= 0) ::close(wake_);
}

void PostgresBulletin::Post(std::string note) {
  const std::scoped_lock lock(mutex_);
  const bool first = waiting_.empty();
  waiting_.insert(std::move(note));
  if (first) Nudge();
}

void PostgresBulletin::Listen(Heard heard) {
  const std::scoped_lock lock(heard_mutex_);
  heard_ = std::move(heard);
}

void PostgresBulletin::Nudge() const {
  const std::uint64_t one = 1;
  std::ignore = ::write(wake_, &one, sizeof one);
}

Status PostgresBulletin::Connect() {
  ASSAY_ASSIGN_OR_RETURN(connection_, OpenSession(dsn_));
  // A lost note is no loss: its transaction need not wait for the disk.
  ASSAY_RETURN_IF_ERROR(connection_->Execute("SET synchronous_commit = off"));
  // Installations that share a database by schemas do not wake each other.
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result channel,
      connection_->Execute("SELECT 'assay_' || md5(current_schema()::text)"));
  channel_ = channel.rows.front().Text(0);
  ASSAY_RETURN_IF_ERROR(connection_->Execute("LISTEN " + channel_));
  next_ask_ = steady_clock::now();
  unheard_ = 0;
  return {};
}

void PostgresBulletin::Loop() {
  while (Serve()) {
  }
}

bool PostgresBulletin::Serve() {
  {
    const std::scoped_lock lock(mutex_);
    if (closing_) return false;
  }
  if (!connection_ ||
      connection_->failure() == PostgresConnection::Failure::kLost) {
    connection_.reset();
    if (const Status connected = Connect(); !connected) {
      connection_.reset();
      pollfd wake{wake_, POLLIN, 0};
      std::ignore = ::poll(&wake, 1, static_cast<int>(kReconnectPause.count()));
      return true;
    }
    Tell({});
  }
  const auto now = steady_clock::now();
  if (now >= next_ask_) {
    AskTime(kAskPatience);
    ProbeEar();
  }
  bool waits = false;
  {
    const std::scoped_lock lock(mutex_);
    waits = !waiting_.empty();
  }
  milliseconds pause =
      duration_cast<milliseconds>(next_ask_ - steady_clock::now());
  if (waits) {
    const auto since = steady_clock::now() - last_sent_;
    if (since >= kGather) {
      if (!SendNotes()) return true;
      pause = milliseconds(0);
    } else {
      pause = kGather;
    }
  }
  TakeNotes();
  // With notes that are gathered there is nothing that would wake us for.
  connection_->WaitForInput(waits ? -1 : wake_,
                            std::max(pause, milliseconds(0)));
  std::uint64_t drained = 0;
  std::ignore = ::read(wake_, &drained, sizeof drained);
  TakeNotes();
  return true;
}

Status PostgresBulletin::SendNotes() {
  std::set<std::string> notes;
  {
    const std::scoped_lock lock(mutex_);
    notes.swap(waiting_);
  }
  std::string payload = sender_;
  Status sent;
  const auto send = [&] {
    if (!sent) return;
    connection_->Forget();
    if (auto done = connection_->Execute("SELECT pg_notify($1, $2)::text",
                                         {channel_, payload});
        !done)
      sent = std::unexpected(std::move(done).error());
  };
  for (const std::string& note : notes) {
    if (payload.size() + note.size() > kMaxPayload) {
      send();
      payload = sender_;
    }
    payload += ' ';
    payload += note;
  }
  send();
  last_sent_ = steady_clock::now();
  if (!sent) {
    const std::scoped_lock lock(mutex_);
    waiting_.merge(notes);
  }
  return sent;
}

void PostgresBulletin::TakeNotes() {
  std::vector<std::string> heard;
  while (const auto payload = connection_->TakeNotification()) {
    std::istringstream words(*payload);
    std::string word;
    if (!(words >> word)) continue;
    if (word == sender_) {
      unheard_ = 0;
      continue;
    }
    while (words >> word) heard.push_back(std::move(word));
  }
  if (!heard.empty()) Tell(std::move(heard));
}

void PostgresBulletin::Tell(std::vector<std::string> notes) {
  const std::scoped_lock lock(heard_mutex_);
  if (heard_) heard_(std::move(notes));
}

void PostgresBulletin::ProbeEar() {
  connection_->Forget();
  TakeNotes();
  if (unheard_ >= kUnheardToBeDeaf && !HasFault("sweeps.off")) {
    if (!std::exchange(deaf_, true))
      spdlog::warn(
          "the store's notifications do not arrive (does a pooler stand "
          "between?): what other coordinators do is looked for once a second "
          "instead");
    Tell({});
  } else if (unheard_ == 0 && std::exchange(deaf_, false)) {
    spdlog::info("the store's notifications arrive again");
  }
  if (connection_->Execute("SELECT pg_notify($1, $2)::text",
                           {channel_, sender_}))
    ++unheard_;
}

void PostgresBulletin::AskTime(milliseconds patience) {
  next_ask_ = steady_clock::now() + kAskInterval;
  connection_->Forget();
  const auto skew = clock_.Ask(*connection_, patience);
  if (!skew) return;
  const bool skewed = *skew > kSkewToTell || *skew < -kSkewToTell;
  if (skewed && !warned_)
    spdlog::warn(
        "this machine's clock is {:.1f} s {} the store's, which is what "
        "counts: look at its time service",
        std::abs(static_cast<double>(skew->count()) / 1e6),
        skew->count() > 0 ? "ahead of" : "behind");
  warned_ = skewed;
}

}  // namespace assay::storage
