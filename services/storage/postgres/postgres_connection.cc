#include "services/storage/postgres/postgres_connection.h"

#include <poll.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "services/storage/postgres/values.h"

namespace assay::storage {
namespace {

// How long a server may take to let us in, and to answer one round trip. The
// second is long because a lock of another coordinator may be in the way.
constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::chrono::seconds kAnswerTimeout{60};

// A peer that is gone without a word is noticed within seconds. A standby is
// passed over where several hosts are given.
constexpr std::pair<const char*, const char*> kDefaults[] = {
    {"application_name", "assayd"},         {"client_encoding", "UTF8"},
    {"target_session_attrs", "read-write"}, {"keepalives_idle", "5"},
    {"keepalives_interval", "2"},           {"keepalives_count", "3"},
    {"tcp_user_timeout", "10000"},
};

using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

PostgresConnection::Failure FailureOf(std::string_view state) {
  using Failure = PostgresConnection::Failure;
  if (state == "40001" || state == "40P01" || state == "55P03")
    return Failure::kConflict;
  // 25006: a standby, after a failover. 53: out of disk, memory, connections.
  // 57: shutting down. 58: I/O.
  if (state == "25006" || state.starts_with("53") || state.starts_with("57") ||
      state.starts_with("58"))
    return Failure::kStore;
  return state.starts_with("08") ? Failure::kLost : Failure::kStatement;
}

Code CodeOf(std::string_view state, PostgresConnection::Failure failure) {
  using Failure = PostgresConnection::Failure;
  if (state == "23505") return Code::kAlreadyExists;
  // Bytes that are no UTF-8, or a NUL.
  if (state == "22021") return Code::kInvalidArgument;
  if (state.starts_with("XX001") || state.starts_with("XX002"))
    return Code::kDataLoss;
  switch (failure) {
    case Failure::kConflict:
      return Code::kAborted;
    case Failure::kStore:
    case Failure::kLost:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

// Of what libpq says when there is no session.
const char* WhatToDo(std::string_view words) {
  const auto says = [words](const char* part) {
    return words.find(part) != std::string_view::npos;
  };
  if (says("password"))
    return "; give the role's password in PGPASSWORD or ~/.pgpass";
  if (says("does not exist"))
    return "; make it (createdb, createuser), or check --store";
  if (says("read-only") || says("hot standby"))
    return "; it is a standby or set to read only: name the primary, or all "
           "hosts, in --store";
  if (says("too many clients") || says("connection slots"))
    return "; raise max_connections, each coordinator takes some twenty";
  return "; check --store, and that the server runs";
}

const char* Field(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

}  // namespace

Expected<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(
    const PostgresDsn& dsn) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : dsn.parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  for (const auto& [keyword, value] : kDefaults) {
    if (dsn.parameters.contains(keyword)) continue;
    keywords.push_back(keyword);
    values.push_back(value);
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* raw = PQconnectStartParams(keywords.data(), values.data(), 0);
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(raw));
  const auto failed = [&](std::string_view words) {
    return Unavailable("the store ", dsn.Describe(),
                       " cannot be reached: ", OneLine(words), WhatToDo(words));
  };
  if (raw == nullptr) return failed("out of memory");
  const auto deadline = std::chrono::steady_clock::now() + kConnectTimeout;
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (PQstatus(raw) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
         step != PGRES_POLLING_FAILED) {
    pollfd socket{
        PQsocket(raw),
        static_cast<short>(step == PGRES_POLLING_READING ? POLLIN : POLLOUT),
        0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const int ready = left.count() <= 0
                          ? 0
                          : ::poll(&socket, 1, static_cast<int>(left.count()));
    if (ready == 0) return failed("no answer within 5 seconds");
    if (ready < 0 && errno != EINTR) return failed(std::strerror(errno));
    step = PQconnectPoll(raw);
  }
  if (PQstatus(raw) != CONNECTION_OK) return failed(PQerrorMessage(raw));
  if (PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1)
    return failed(PQerrorMessage(raw));
  // The server's notices are its log's to keep.
  PQsetNoticeReceiver(raw, [](void*, const PGresult*) {}, nullptr);
  return connection;
}

PostgresConnection::~PostgresConnection() = default;

Expected<sql::Result> PostgresConnection::Execute(
    std::string_view statement, std::span<const sql::Value> values) {
  ASSAY_RETURN_IF_ERROR(Queue(Due::Kind::kAsked, statement, values));
  if (PQpipelineSync(connection_.get()) != 1) return Lost();
  due_.push_back({Due::Kind::kSync, {}});
  return Collect();
}

Status PostgresConnection::Post(std::string_view statement,
                                std::span<const sql::Value> values) {
  ++changes_;
  return Queue(Due::Kind::kPosted, statement, values);
}

Status PostgresConnection::Send() {
  if (PQpipelineSync(connection_.get()) != 1) return Lost();
  due_.push_back({Due::Kind::kSync, {}});
  return Flush();
}

Status PostgresConnection::Queue(Due::Kind kind, std::string_view statement,
                                 std::span<const sql::Value> values) {
  if (failure_ == Failure::kLost) return Lost();
  PGconn* raw = connection_.get();
  const PostgresParameters parameters(values);
  std::string key(statement);
  key += '\0';
  key += parameters.Signature();
  auto it = prepared_.find(key);
  if (it == prepared_.end()) {
    it = prepared_.emplace(std::move(key), "a" + std::to_string(next_name_++))
             .first;
    if (PQsendPrepare(raw, it->second.c_str(), it->first.c_str(),
                      parameters.count(), parameters.types()) != 1)
      return Lost();
    due_.push_back({Due::Kind::kPrepare, it->first});
  }
  if (PQsendQueryPrepared(raw, it->second.c_str(), parameters.count(),
                          parameters.data(), parameters.lengths(),
                          parameters.formats(), 1) != 1)
    return Lost();
  due_.push_back({kind, it->first});
  return {};
}

bool PostgresConnection::Poll(short events) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(kAnswerTimeout);
  pollfd socket{PQsocket(connection_.get()), events, 0};
  for (;;) {
    const int ready = ::poll(&socket, 1, static_cast<int>(timeout.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    return (socket.revents & POLLIN) == 0 ||
           PQconsumeInput(connection_.get()) == 1;
  }
}

Status PostgresConnection::Flush() {
  int left = 0;
  while ((left = PQflush(connection_.get())) == 1)
    if (!Poll(POLLIN | POLLOUT)) return Lost();
  if (left != 0) return Lost();
  return {};
}

Expected<sql::Result> PostgresConnection::Collect() {
  ASSAY_RETURN_IF_ERROR(Flush());
  sql::Result answer;
  Status status;
  while (!due_.empty()) {
    while (PQisBusy(connection_.get()) != 0)
      if (!Poll(POLLIN)) return Lost();
    const ResultPtr result(PQgetResult(connection_.get()), PQclear);
    // Each statement's answer is followed by a null; a sync's is not.
    if (!result) {
      if (PQstatus(connection_.get()) != CONNECTION_OK) return Lost();
      if (due_.front().kind == Due::Kind::kSync) continue;
      due_.pop_front();
      continue;
    }
    const Due due = due_.front();
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      due_.pop_front();
      continue;
    }
    const Status taken = TakeResult(due, result.get(), answer);
    if (!taken && status) status = taken;
    if (failure_ == Failure::kLost) return std::unexpected(taken.error());
  }
  for (const std::string& key : std::exchange(unprepared_, {}))
    prepared_.erase(key);
  if (!status) return std::unexpected(std::move(status).error());
  return answer;
}

Status PostgresConnection::TakeResult(const Due& due, const PGresult* result,
                                      sql::Result& answer) {
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
      break;
    case PGRES_PIPELINE_ABORTED:
      // Never reached the server's planner: to be prepared anew.
      if (due.kind == Due::Kind::kPrepare)
        unprepared_.emplace_back(due.statement);
      return std::unexpected(
          error_.value_or(Error{Code::kInternal, "the pipeline was aborted"}));
    default:
      return StatementFailed(due, result);
  }
  if (due.kind == Due::Kind::kPrepare) return {};
  const std::string_view tag = PQcmdStatus(const_cast<PGresult*>(result));
  const std::string_view count = PQcmdTuples(const_cast<PGresult*>(result));
  std::int64_t affected = 0;
  std::from_chars(count.data(), count.data() + count.size(), affected);
  if (due.kind != Due::Kind::kAsked) return {};
  answered_ = true;
  if (!tag.starts_with("SELECT")) changes_ += affected;
  answer.affected = affected;
  auto rows = ReadPostgresRows(result);
  if (!rows) {
    failure_ = Failure::kStatement;
    error_ = rows.error();
    return std::unexpected(std::move(rows).error());
  }
  answer.rows = *std::move(rows);
  return {};
}

std::unexpected<Error> PostgresConnection::StatementFailed(
    const Due& due, const PGresult* result) {
  const std::string_view state = Field(result, PG_DIAG_SQLSTATE);
  // A message without a state is libpq's own: the server went away.
  if (state.empty() || PQstatus(connection_.get()) != CONNECTION_OK)
    return Lost();
  // What follows a failure in its transaction has nothing to add.
  if (state == "25P02" && error_) return std::unexpected(*error_);
  failure_ = FailureOf(state);
  const Code code = CodeOf(state, failure_);
  if (due.kind == Due::Kind::kPrepare) unprepared_.emplace_back(due.statement);
  const std::string words = OneLine(Field(result, PG_DIAG_MESSAGE_PRIMARY));
  const std::string_view statement =
      due.statement.substr(0, due.statement.find('\0'));
  auto failed =
      state == "42501"
          ? FailedPrecondition(words,
                               ": the role of --store has to own its schema, "
                               "or GRANT ALL ON SCHEMA to it")
      : state == "42P07"
          ? FailedPrecondition(words,
                               ", and is not Assay's: name a database in "
                               "--store that holds nothing else")
      : code == Code::kUnavailable
          ? Unavailable("the store cannot be written or read: ", words,
                        "; nothing was changed, check the database server")
      : code == Code::kDataLoss
          ? DataLoss("the store is damaged: ", words,
                     "; restore it from a backup")
          : Fail(code, words, " in: ", OneLine(statement.substr(0, 200)));
  error_ = failed.error();
  return failed;
}

std::unexpected<Error> PostgresConnection::Lost() {
  if (failure_ != Failure::kLost) {
    failure_ = Failure::kLost;
    const std::string words = OneLine(PQerrorMessage(connection_.get()));
    error_ = Unavailable("the connection to the store was lost: ",
                         words.empty() ? "no answer" : words)
                 .error();
  }
  return std::unexpected(*error_);
}

std::optional<std::string> PostgresConnection::TakeNotification() {
  if (PQconsumeInput(connection_.get()) != 1) {
    (void)Lost();
    return std::nullopt;
  }
  const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notification(
      PQnotifies(connection_.get()), PQfreemem);
  if (!notification) return std::nullopt;
  return std::string(notification->extra);
}

bool PostgresConnection::WaitForInput(int other,
                                      std::chrono::milliseconds timeout) {
  if (failure_ == Failure::kLost) return false;
  pollfd sockets[] = {{PQsocket(connection_.get()), POLLIN, 0},
                      {other, POLLIN, 0}};
  (void)::poll(sockets, 2, static_cast<int>(timeout.count()));
  if ((sockets[0].revents & (POLLERR | POLLHUP | POLLNVAL)) == 0) return true;
  (void)Lost();
  return false;
}

}  // namespace assay::storage
