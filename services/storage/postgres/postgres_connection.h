#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_CONNECTION_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_CONNECTION_H_

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/postgres/dsn.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// A connection to PostgreSQL, always in pipeline mode: what is posted goes out
// together with the next statement that is waited for, in one round trip.
//
// After a failure inside a transaction PostgreSQL refuses everything until the
// transaction ends; `failure` says what the first one was.
//
// Threads: one at a time; waits in poll, never in libpq.
class PostgresConnection final : public sql::Connection {
 public:
  // kUnavailable: nobody answers there, or not as is expected; the message
  // names the place and what libpq said.
  static Expected<std::unique_ptr<PostgresConnection>> Connect(
      const PostgresDsn& dsn);
  ~PostgresConnection() override;

  Expected<sql::Result> Execute(std::string_view statement,
                                std::span<const sql::Value> values) override;
  Status Post(std::string_view statement,
              std::span<const sql::Value> values) override;
  std::string_view SkipLocked() const override {
    return " FOR UPDATE SKIP LOCKED";
  }
  using sql::Connection::Execute;
  using sql::Connection::Post;

  // Sends what was posted without waiting for an answer.
  Status Send();

  // What ended the transaction that was begun last.
  enum class Failure {
    kNone,
    kStatement,  // a constraint, or a mistake of ours
    kConflict,   // with another transaction: the same again may succeed
    kStore,      // the server cannot write
    kLost,       // the connection is gone
  };
  Failure failure() const { return failure_; }
  // The first one's words. To be read while there is a failure.
  const Error& error() const { return *error_; }
  // Rows changed, and statements posted, since the last Forget.
  std::int64_t changes() const { return changes_; }
  // Whether the server has answered anything since the last Forget.
  bool answered() const { return answered_; }
  // To be called before BEGIN, with nothing posted.
  void Forget() {
    changes_ = 0;
    answered_ = false;
    if (failure_ == Failure::kLost) return;
    failure_ = Failure::kNone;
    error_.reset();
  }

  // A message of a LISTEN, if one has come. Reads what there is and does not
  // wait.
  std::optional<std::string> TakeNotification();
  // Waits until the server sends something, or `other` can be read. False: the
  // connection is gone.
  bool WaitForInput(int other, std::chrono::milliseconds timeout);

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  // An answer that is due, in the order of the answers.
  struct Due {
    enum class Kind { kPrepare, kPosted, kAsked, kSync } kind;
    std::string_view statement;  // a key of prepared_, or a literal of kSync
  };

  explicit PostgresConnection(PGconn* connection) : connection_(connection) {}

  Status Queue(Due::Kind kind, std::string_view statement,
               std::span<const sql::Value> values);
  Status Flush();
  // Waits for everything that is due; the answer is that of the kAsked one.
  Expected<sql::Result> Collect();
  Status TakeResult(const Due& due, const PGresult* result,
                    sql::Result& answer);
  std::unexpected<Error> StatementFailed(const Due& due,
                                         const PGresult* result);
  std::unexpected<Error> Lost();
  // False: nothing happened in time, or the socket is gone.
  bool Poll(short events);

  std::unique_ptr<PGconn, Closer> connection_;
  // Names by statement and signature. Nodes stay where they are, so that Due
  // may point at a key.
  std::map<std::string, std::string, std::less<>> prepared_;
  std::uint64_t next_name_ = 1;
  // Sent to be prepared, and not: out of prepared_ once nothing is due.
  std::vector<std::string> unprepared_;
  std::deque<Due> due_;
  Failure failure_ = Failure::kNone;
  std::optional<Error> error_;
  std::int64_t changes_ = 0;
  bool answered_ = false;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_CONNECTION_H_
