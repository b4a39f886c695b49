#include "runner/wires/postgres_client.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <utility>

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// The server is in a cell, but its bytes are still not ours.
constexpr std::uint32_t kLongestMessage = 16 << 20;

std::string Terminated(std::string_view text) {
  return std::string(text) + '\0';
}

// Closes the socket when the time is up, which ends the operation under way.
class Guard {
 public:
  Guard(tcp::socket& socket, PostgresClient::Deadline deadline)
      : state_(std::make_shared<State>(State{&socket, false})),
        timer_(socket.get_executor(), deadline) {
    timer_.async_wait([state = state_](const boost::system::error_code& error) {
      if (error || state->socket == nullptr) return;
      state->expired = true;
      boost::system::error_code ignored;
      state->socket->close(ignored);
    });
  }
  ~Guard() { state_->socket = nullptr; }
  bool expired() const { return state_->expired; }

 private:
  struct State {
    tcp::socket* socket;
    bool expired;
  };
  std::shared_ptr<State> state_;
  asio::steady_timer timer_;
};

void ReadColumns(FieldReader fields, SqlResult& result) {
  result.columns.clear();
  result.rows.clear();
  const int count = fields.Int16();
  for (int i = 0; i < count && fields.ok(); ++i) {
    SqlResult::Column column;
    column.name = fields.Text();
    fields.Bytes(6);  // Table and attribute.
    column.type = fields.Int32();
    fields.Bytes(8);  // Size, modifier, format.
    result.columns.push_back(std::move(column));
  }
}

void ReadRow(FieldReader fields, SqlResult& result) {
  auto& row = result.rows.emplace_back();
  const int count = fields.Int16();
  for (int i = 0; i < count && fields.ok(); ++i) {
    const std::int32_t length = fields.Int32();
    if (length < 0) {
      row.emplace_back();
    } else {
      row.emplace_back(fields.Bytes(static_cast<std::size_t>(length)));
    }
  }
}

}  // namespace

PostgresClient::PostgresClient(tcp::socket socket)
    : socket_(std::move(socket)) {}

asio::awaitable<Expected<std::unique_ptr<PostgresClient>>>
PostgresClient::LogIn(tcp::socket socket, Login login, Deadline deadline) {
  std::unique_ptr<PostgresClient> client(new PostgresClient(std::move(socket)));
  std::string payload;
  AppendInt32(payload, kProtocolVersion3);
  payload += Terminated("user") + Terminated(login.user);
  payload += Terminated("database") + Terminated(login.database);
  payload += Terminated("application_name") + Terminated("assay");
  payload += Terminated("client_encoding") + Terminated("UTF8");
  if (!login.options.empty()) {
    payload += Terminated("options") + Terminated(login.options);
  }
  payload += '\0';
  std::string packet;
  AppendMessage(packet, '\0', payload);

  Guard guard(client->socket_, deadline);
  ASSAY_CO_RETURN_IF_ERROR(co_await client->Send(std::move(packet)));
  ASSAY_CO_RETURN_IF_ERROR(co_await client->ReadLogin());
  co_return std::move(client);
}

asio::awaitable<Status> PostgresClient::ReadLogin() {
  while (true) {
    ASSAY_CO_ASSIGN_OR_RETURN(const Message message, co_await Receive());
    FieldReader fields(message.payload);
    if (message.type == 'Z') co_return Status{};
    if (message.type == 'E') {
      const ServerError error = ReadServerError(message.payload);
      co_return Unavailable("the database refused the login: ", error.message,
                            " (", error.code, ")");
    }
    if (message.type == 'R' && fields.Int32() != 0) {
      co_return FailedPrecondition("the database asks for a password");
    }
  }
}

asio::awaitable<Expected<SqlResult>> PostgresClient::Query(
    std::string statement, std::vector<std::optional<std::string>> args,
    Deadline deadline) {
  std::string out;
  std::string types(2, '\0');
  AppendMessage(out, 'P', Terminated("") + Terminated(statement) + types);
  std::string bind = Terminated("") + Terminated("");
  AppendInt16(bind, 0);
  AppendInt16(bind, static_cast<std::int16_t>(args.size()));
  for (const auto& arg : args) {
    AppendInt32(bind, arg ? static_cast<std::int32_t>(arg->size()) : -1);
    if (arg) bind += *arg;
  }
  AppendInt16(bind, 0);
  AppendMessage(out, 'B', bind);
  AppendMessage(out, 'D', "P" + Terminated(""));
  std::string execute = Terminated("");
  AppendInt32(execute, 0);
  AppendMessage(out, 'E', execute);
  AppendMessage(out, 'S', "");

  const Guard guard(socket_, deadline);
  ASSAY_CO_RETURN_IF_ERROR(co_await Send(std::move(out)));
  auto result = co_await ReadResult();
  if (!result && guard.expired()) {
    co_return Fail(Code::kDeadlineExceeded, "no answer from the database");
  }
  co_return std::move(result);
}

asio::awaitable<Expected<SqlResult>> PostgresClient::Script(
    std::string statements, Deadline deadline) {
  std::string out;
  AppendMessage(out, 'Q', Terminated(statements));
  const Guard guard(socket_, deadline);
  ASSAY_CO_RETURN_IF_ERROR(co_await Send(std::move(out)));
  auto result = co_await ReadResult();
  if (!result && guard.expired()) {
    co_return Fail(Code::kDeadlineExceeded, "no answer from the database");
  }
  co_return std::move(result);
}

asio::awaitable<Expected<SqlResult>> PostgresClient::ReadResult() {
  SqlResult result;
  std::int64_t bytes = 0;
  while (true) {
    ASSAY_CO_ASSIGN_OR_RETURN(const Message message, co_await Receive());
    bytes += static_cast<std::int64_t>(message.payload.size());
    if (bytes > kResultBytes) {
      boost::system::error_code ignored;
      socket_.close(ignored);
      co_return ResourceExhausted("the result is larger than ",
                                  kResultBytes >> 20, " MiB");
    }
    FieldReader fields(message.payload);
    switch (message.type) {
      case 'T':
        ReadColumns(fields, result);
        break;
      case 'D':
        ReadRow(fields, result);
        break;
      case 'C':
        result.tag = fields.Text();
        break;
      case 'E':
        if (!result.error) result.error = ReadServerError(message.payload);
        break;
      case 'Z':
        co_return std::move(result);
      case 'G': {
        // COPY FROM STDIN has nothing to read here.
        std::string fail;
        AppendMessage(fail, 'f', Terminated("COPY FROM STDIN is not possible"));
        ASSAY_CO_RETURN_IF_ERROR(co_await Send(std::move(fail)));
        break;
      }
      default:
        break;
    }
  }
}

asio::awaitable<Status> PostgresClient::Send(std::string bytes) {
  const auto [error, sent] =
      co_await asio::async_write(socket_, asio::buffer(bytes), kTuple);
  if (error) {
    boost::system::error_code ignored;
    socket_.close(ignored);
    co_return Unavailable("write to the database: ", error.message());
  }
  co_return Status{};
}

asio::awaitable<Expected<PostgresClient::Message>> PostgresClient::Receive() {
  while (true) {
    const std::string_view rest = std::string_view(buffer_).substr(consumed_);
    if (rest.size() >= 5) {
      const auto length =
          static_cast<std::uint32_t>(FieldReader(rest.substr(1)).Int32());
      if (length < 4 || length > kLongestMessage) {
        boost::system::error_code ignored;
        socket_.close(ignored);
        co_return DataLoss("the database sent a message of ", length, " bytes");
      }
      if (rest.size() > length) {
        consumed_ += length + 1;
        co_return Message{rest[0], rest.substr(5, length - 4)};
      }
    }
    buffer_.erase(0, std::exchange(consumed_, 0));
    std::array<char, 16 << 10> chunk;
    const auto [error, size] =
        co_await socket_.async_read_some(asio::buffer(chunk), kTuple);
    if (error) {
      boost::system::error_code ignored;
      socket_.close(ignored);
      co_return Unavailable("the database closed the connection: ",
                            error.message());
    }
    buffer_.append(chunk.data(), size);
  }
}

}  // namespace assay::wires
