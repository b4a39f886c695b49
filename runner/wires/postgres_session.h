#ifndef ASSAY_RUNNER_WIRES_POSTGRES_SESSION_H_
#define ASSAY_RUNNER_WIRES_POSTGRES_SESSION_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runner/wires/moment.h"
#include "runner/wires/postgres_messages.h"

namespace assay::wires {

// One execution of one statement, as it was seen on the wire.
struct Statement {
  enum class Protocol { kSimple, kExtended };
  struct Parameter {
    // Text form; binary values as "\\x0a0b"; absent for NULL.
    std::optional<std::string> value;
    bool truncated = false;
  };
  static constexpr std::size_t kParameters = 64;
  static constexpr std::size_t kParameterBytes = 256;

  // As sent; cut to 64 KiB.
  std::string text;
  Protocol protocol = Protocol::kSimple;
  // Empty: unnamed.
  std::string prepared_name;
  std::vector<Parameter> parameters;
  Moment begin;
  std::uint64_t end_nanos = 0;
  // By the command tag, or counted where there is none.
  std::int64_t rows = 0;
  // Of result rows and COPY data.
  std::int64_t bytes = 0;
  std::string tag;
  // SQLSTATE and message; empty where it went well.
  std::string error_code;
  std::string error_message;
  // 'I' idle, 'T' in a transaction, 'E' in a failed one; when it began.
  char transaction = 'I';
  // The portal has more rows.
  bool suspended = false;
  // The connection ended before an answer.
  bool unanswered = false;
};

// What a session yields.
struct SessionStarted {
  std::string user;
  std::string database;
  std::string application;
};
struct CancelRequested {
  std::int32_t process = 0;
};
// An error that belongs to no statement: a refused login, a terminated
// connection.
struct ConnectionFailed {
  ServerError error;
};
// Bytes that are not the protocol, or that cannot be read: from here on
// nothing is seen of this connection.
struct FellBack {
  std::string reason;
};
using PostgresEvent = std::variant<Statement, SessionStarted, CancelRequested,
                                   ConnectionFailed, FellBack>;

// Reads along one PostgreSQL connection: bytes in, events out, no I/O. Never
// changes a byte and never fails: what it does not understand makes it fall
// back to seeing nothing.
//
// Bounded: some 200 KiB a direction, kPending operations under way,
// kPrepared statements remembered.
class PostgresSession {
 public:
  static constexpr std::size_t kPending = 4096;
  static constexpr std::size_t kPrepared = 1024;

  void OnClient(std::string_view bytes, Moment now);
  void OnServer(std::string_view bytes, Moment now);
  // Either side is gone: statements under way end unanswered.
  void OnClose(Moment now);

  // What has happened since the last call, in order.
  std::vector<PostgresEvent> TakeEvents();
  bool fell_back() const { return raw_; }
  // Logged in, between messages, and the server owes no answer.
  bool at_rest() const {
    return !raw_ && ready_ && pending_.empty() && !inside_ && !skip_to_sync_ &&
           !copying_in_;
  }
  char transaction() const { return transaction_; }

 private:
  struct Prepared {
    std::string name;
    std::string text;
    std::vector<std::int32_t> types;
  };
  using PreparedPtr = std::shared_ptr<Prepared>;
  struct Portal {
    PreparedPtr prepared;
    std::vector<Statement::Parameter> parameters;
    Moment begin;
  };
  using PortalPtr = std::shared_ptr<Portal>;

  // What the client asked for and the server has not finished answering.
  struct Pending {
    enum class Kind {
      kSimple,
      kParse,
      kBind,
      kDescribeStatement,
      kDescribePortal,
      kExecute,
      kClose,
      kSync,
      kFunction,
    };
    Kind kind = Kind::kSync;
    Moment begin;
    PreparedPtr prepared;
    PortalPtr portal;
    // Of a simple query: its statements, and which one is being answered.
    std::vector<std::string> texts;
    std::size_t next = 0;
    // Of the statement being answered.
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    // A simple query ends its statements with an error.
    bool failed = false;
  };

  void ClientStartup(const MessageCutter::Message& message, Moment now);
  void ClientMessage(const MessageCutter::Message& message, Moment now);
  void ClientQuery(std::string_view text, Moment now);
  void ClientParse(FieldReader fields, Moment now);
  void ClientBind(const MessageCutter::Message& message, Moment now);
  void ClientClose(FieldReader fields, Moment now);
  void Push(Pending pending);

  void ServerMessage(const MessageCutter::Message& message, Moment now);
  void ServerComplete(std::string_view tag, Moment now, bool suspended);
  void ServerFailed(const ServerError& error, Moment now);
  void ServerReady(char transaction);
  void ServerCopyIn();
  void ServerTypes(FieldReader fields);
  // Pops the head if it is of `kind`.
  void Expect(Pending::Kind kind);

  Statement Describe(const Pending& pending, Moment now) const;
  void FallBack(std::string reason);

  enum class Start {
    kStartup,      // the client's next message has no type
    kNegotiating,  // the server answers SSLRequest or GSSENCRequest in a byte
    kRunning,
  };
  Start start_ = Start::kStartup;
  bool raw_ = false;
  // The server was ready for a statement at least once.
  bool ready_ = false;
  // The client's bytes so far end inside a message.
  bool inside_ = false;
  bool cancelling_ = false;
  MessageCutter client_{Speaker::kClient};
  MessageCutter server_{Speaker::kServer};
  std::deque<Pending> pending_;
  std::map<std::string, PreparedPtr, std::less<>> prepared_;
  std::map<std::string, PortalPtr, std::less<>> portals_;
  char transaction_ = 'I';
  // The server ignores the client's messages up to the next Sync.
  bool skip_to_sync_ = false;
  bool copying_in_ = false;
  std::vector<PostgresEvent> events_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_POSTGRES_SESSION_H_
