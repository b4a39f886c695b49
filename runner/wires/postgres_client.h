#ifndef ASSAY_RUNNER_WIRES_POSTGRES_CLIENT_H_
#define ASSAY_RUNNER_WIRES_POSTGRES_CLIENT_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"
#include "runner/wires/postgres_messages.h"

namespace assay::wires {

// Rows as the server sent them, in text form.
struct SqlResult {
  struct Column {
    std::string name;
    // pg_type.oid: 23 is int4.
    std::int32_t type = 0;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::string tag;
  // What the server refused: data, not an Error, since whoever wrote the
  // statement wants to read it.
  std::optional<ServerError> error;
};

// A small PostgreSQL client over a socket that somebody else opened, which
// libpq cannot do (docs/adr/0030). Logs in by trust only, text format only,
// one operation at a time.
//
// Ownership: owns the socket.
// Threads: confined to the run's thread.
// Errors: kUnavailable once the connection is lost, kDeadlineExceeded,
// kResourceExhausted for more than kResultBytes; the connection is closed then.
class PostgresClient {
 public:
  static constexpr std::int64_t kResultBytes = 32 << 20;
  using Deadline = std::chrono::steady_clock::time_point;

  struct Login {
    std::string user;
    std::string database;
    // Settings of the session, as "-c name=value".
    std::string options;
  };
  static boost::asio::awaitable<Expected<std::unique_ptr<PostgresClient>>>
  LogIn(boost::asio::ip::tcp::socket socket, Login login, Deadline deadline);

  // One statement with `args` for $1, $2, ...; the server infers their types.
  boost::asio::awaitable<Expected<SqlResult>> Query(
      std::string statement, std::vector<std::optional<std::string>> args,
      Deadline deadline);
  // Any number of statements without arguments, as one implicit transaction;
  // the result of the last.
  boost::asio::awaitable<Expected<SqlResult>> Script(std::string statements,
                                                     Deadline deadline);

  bool open() const { return socket_.is_open(); }

 private:
  explicit PostgresClient(boost::asio::ip::tcp::socket socket);

  struct Message {
    char type = '\0';
    std::string_view payload;
  };
  boost::asio::awaitable<Status> Send(std::string bytes);
  boost::asio::awaitable<Expected<Message>> Receive();
  // Reads up to ReadyForQuery.
  boost::asio::awaitable<Expected<SqlResult>> ReadResult();
  boost::asio::awaitable<Status> ReadLogin();

  boost::asio::ip::tcp::socket socket_;
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_POSTGRES_CLIENT_H_
