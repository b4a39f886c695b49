#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_BULLETIN_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_BULLETIN_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/error.h"
#include "services/storage/bulletin.h"
#include "services/storage/postgres/dsn.h"
#include "services/storage/postgres/postgres_connection.h"

namespace assay::storage {

// The time of day at the server, carried on by this machine's monotonic clock.
class ServerClock final : public Clock {
 public:
  TimePoint Now() const override;
  // Asks the server, and answers with how far this machine's time of day is
  // from its. The answer is exact to half a round trip; a slower one than
  // `patience` is not taken.
  Expected<std::chrono::microseconds> Ask(PostgresConnection& connection,
                                          std::chrono::milliseconds patience);

 private:
  // Microseconds to add to the monotonic clock.
  std::atomic<std::int64_t> offset_ = 0;
};

// Notes by LISTEN and NOTIFY on a connection of their own, so that no
// transaction that matters waits for the lock that notifying takes.
//
// Notes that come within `gather` are sent as one. A connection that is lost is
// made again, until then notes wait. With the time, each bulletin sends itself
// a note: where that does not come back (a pooler stands between, say),
// nobody's do, and whoever listens is told once a second that some may have
// been lost.
class PostgresBulletin final : public Bulletin {
 public:
  static constexpr std::chrono::milliseconds kGather{4};

  // Asks for the time before it returns.
  static Expected<std::unique_ptr<PostgresBulletin>> Open(
      const PostgresDsn& dsn);
  ~PostgresBulletin() override;

  const Clock& clock() const override { return clock_; }
  void Post(std::string note) override;
  void Listen(Heard heard) override;

 private:
  explicit PostgresBulletin(const PostgresDsn& dsn);

  Status Connect();
  void Loop();
  // True while the connection serves.
  bool Serve();
  Status SendNotes();
  void TakeNotes();
  void Tell(std::vector<std::string> notes);
  void AskTime(std::chrono::milliseconds patience);
  // Sends the note to itself, and sees whether those before it have come.
  void ProbeEar();
  void Nudge() const;

  const PostgresDsn dsn_;
  // Begins each of our messages, so that we do not hear ourselves.
  const std::string sender_;
  ServerClock clock_;
  int wake_ = -1;

  // The thread's own.
  std::unique_ptr<PostgresConnection> connection_;
  std::string channel_;
  std::chrono::steady_clock::time_point next_ask_;
  std::chrono::steady_clock::time_point last_sent_;
  bool warned_ = false;
  // Notes to itself that have not come back.
  int unheard_ = 0;
  bool deaf_ = false;

  std::mutex mutex_;  // guards what follows
  std::set<std::string> waiting_;
  bool closing_ = false;

  std::mutex heard_mutex_;  // held while `heard_` is called
  Heard heard_;

  std::thread thread_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_BULLETIN_H_
