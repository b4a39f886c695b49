#include "runner/sidecars/postgres_database.h"

#include <charconv>
#include <utility>

#include "runner/sidecars/snapshot_sql.h"
#include "runner/wires/dial.h"

namespace assay::sidecars {

namespace asio = boost::asio;
using wires::PostgresClient;
using wires::SqlResult;

namespace {

constexpr std::string_view kLockNotAvailable = "55P03";
constexpr std::string_view kExplain = "explain (format json, verbose) ";
// A plan that holds for any parameters is asked for by `execute` alone.
constexpr std::string_view kExplainOptions =
    "-c default_transaction_read_only=on -c statement_timeout=2s "
    "-c lock_timeout=1s -c plan_cache_mode=force_generic_plan "
    "-c application_name=assay";

std::chrono::milliseconds Left(PostgresDatabase::Deadline deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
}

}  // namespace

PostgresDatabase::PostgresDatabase(wires::Network& network, std::uint16_t port)
    : network_(network), port_(port) {}

void PostgresDatabase::Disconnect() {
  reader_.reset();
  admin_.reset();
  resetter_.reset();
  explainer_.reset();
}

asio::awaitable<Status> PostgresDatabase::Connect(Client& client,
                                                  std::string user,
                                                  std::string options,
                                                  Deadline deadline,
                                                  bool as_service) {
  if (client && client->open()) co_return Status{};
  if (&client == &reader_) reader_limit_ = std::chrono::milliseconds(0);
  ASSAY_CO_ASSIGN_OR_RETURN(
      auto socket, co_await wires::Dial(
                       network_, port_, Left(deadline),
                       as_service ? wires::kAnyAddress : wires::kOwnAddress));
  PostgresClient::Login login{std::move(user), "app", std::move(options)};
  ASSAY_CO_ASSIGN_OR_RETURN(
      client, co_await PostgresClient::LogIn(std::move(socket),
                                             std::move(login), deadline));
  co_return Status{};
}

asio::awaitable<Expected<SqlResult>> PostgresDatabase::Read(
    std::string statement, std::vector<std::optional<std::string>> args,
    Deadline deadline) {
  // A server that was killed and healed has closed the old connection: one
  // fresh start.
  for (const bool again : {true, false}) {
    ASSAY_CO_RETURN_IF_ERROR(
        co_await Connect(reader_, "assay_reader",
                         "-c default_transaction_read_only=on", deadline));
    Expected<SqlResult> result = SqlResult{};
    if (auto limited = co_await LimitStatements(deadline); !limited) {
      result = std::unexpected(std::move(limited).error());
    } else {
      result = co_await reader_->Query(statement, args, deadline);
    }
    if (result || !again || result.error().code != Code::kUnavailable) {
      co_return std::move(result);
    }
  }
  co_return Unavailable("no connection to the database");
}

asio::awaitable<Expected<SqlResult>> PostgresDatabase::Explain(
    std::string statement,
    std::optional<std::vector<std::optional<std::string>>> args,
    std::size_t parameters, Deadline deadline) {
  // Not as a superuser: functions of the service's that the planner evaluates
  // have no more rights than the service has.
  ASSAY_CO_RETURN_IF_ERROR(co_await Connect(
      explainer_, "app", std::string(kExplainOptions), deadline, true));
  if (args) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        SqlResult direct,
        co_await explainer_->Query(std::string(kExplain) + statement, *args,
                                   deadline));
    if (!direct.error) co_return direct;
  }
  ASSAY_CO_ASSIGN_OR_RETURN(
      SqlResult prepared,
      co_await explainer_->Query("prepare assay_advice as " + statement, {},
                                 deadline));
  if (prepared.error) co_return prepared;
  std::string execute = std::string(kExplain) + "execute assay_advice";
  for (std::size_t i = 0; i < parameters; ++i) {
    execute += i == 0 ? "(null" : ", null";
  }
  if (parameters > 0) execute += ")";
  ASSAY_CO_ASSIGN_OR_RETURN(SqlResult plan,
                            co_await explainer_->Query(execute, {}, deadline));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const SqlResult freed,
      co_await explainer_->Query("deallocate assay_advice", {}, deadline));
  co_return plan;
}

asio::awaitable<Status> PostgresDatabase::LimitStatements(Deadline deadline) {
  // In steps of a second, so that a session need not be told each time; a
  // second more than we wait, so that the server's word does not come first.
  const auto limit = std::chrono::ceil<std::chrono::seconds>(Left(deadline)) +
                     std::chrono::seconds(1);
  if (limit == reader_limit_) co_return Status{};
  ASSAY_CO_ASSIGN_OR_RETURN(
      const SqlResult set,
      co_await reader_->Script(
          "set statement_timeout = '" + std::to_string(limit.count()) + "s'",
          deadline));
  if (set.error) co_return Internal("statement_timeout: ", set.error->message);
  reader_limit_ = limit;
  co_return Status{};
}

asio::awaitable<Expected<SqlResult>> PostgresDatabase::RunRestore(
    Deadline deadline) {
  ASSAY_CO_RETURN_IF_ERROR(
      co_await Connect(resetter_, "assay_reset", "", deadline));
  co_return co_await resetter_->Script(std::string(kRestoreSnapshot), deadline);
}

asio::awaitable<Expected<SqlResult>> PostgresDatabase::Administer(
    std::string_view script, Deadline deadline) {
  ASSAY_CO_RETURN_IF_ERROR(co_await Connect(admin_, "postgres", "", deadline));
  co_return co_await admin_->Script(std::string(script), deadline);
}

asio::awaitable<Status> PostgresDatabase::TakeSnapshot(Deadline deadline) {
  ASSAY_CO_ASSIGN_OR_RETURN(const SqlResult result,
                            co_await Administer(kTakeSnapshot, deadline));
  if (result.error) {
    co_return Internal("snapshot of the database: ", result.error->message);
  }
  co_return Status{};
}

asio::awaitable<Expected<PostgresDatabase::Restored>> PostgresDatabase::Restore(
    Deadline deadline) {
  Restored restored;
  // It would hold what it planned for.
  explainer_.reset();
  ASSAY_CO_ASSIGN_OR_RETURN(SqlResult result, co_await RunRestore(deadline));
  if (result.error && result.error->code == kLockNotAvailable) {
    restored.ended_transactions = true;
    ASSAY_CO_ASSIGN_OR_RETURN(result,
                              co_await Administer(kEndTransactions, deadline));
    ASSAY_CO_ASSIGN_OR_RETURN(result, co_await RunRestore(deadline));
  }
  if (result.error) {
    co_return Internal("restore of the database: ", result.error->message);
  }
  if (!result.rows.empty() && !result.rows[0].empty() && result.rows[0][0]) {
    const std::string& text = *result.rows[0][0];
    std::from_chars(text.data(), text.data() + text.size(), restored.tables);
  }
  co_return restored;
}

}  // namespace assay::sidecars
