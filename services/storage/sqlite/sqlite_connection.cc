#include "services/storage/sqlite/sqlite_connection.h"

#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

namespace assay::storage {
namespace {

constexpr int kBusyMilliseconds = 10'000;

sql::Value ReadColumn(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text =
          reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, sqlite3_column_bytes(statement, column));
    }
    case SQLITE_BLOB: {
      const auto* bytes =
          static_cast<const char*>(sqlite3_column_blob(statement, column));
      const int size = sqlite3_column_bytes(statement, column);
      return sql::Bytes{size == 0 ? std::string() : std::string(bytes, size)};
    }
    default:
      return {};
  }
}

int BindValue(sqlite3_stmt* statement, int index, const sql::Value& value) {
  return std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return sqlite3_bind_null(statement, index);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return sqlite3_bind_int64(statement, index, held);
        } else if constexpr (std::is_same_v<T, double>) {
          return sqlite3_bind_double(statement, index, held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return sqlite3_bind_text64(statement, index, held.data(), held.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
        } else {
          // A null pointer would bind NULL.
          const char* data = held.value.empty() ? "" : held.value.data();
          return sqlite3_bind_blob64(statement, index, data, held.value.size(),
                                     SQLITE_STATIC);
        }
      },
      value);
}

Code CodeOf(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return Code::kAlreadyExists;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kAborted;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return Code::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kDataLoss;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Expected<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(
    const std::filesystem::path& file, Access access) {
  const int flags =
      SQLITE_OPEN_NOMUTEX |
      (access == Access::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                : SQLITE_OPEN_READONLY);
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &db, flags, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db));
  if (code != SQLITE_OK)
    return Unavailable("the store ", file.string(), " cannot be opened: ",
                       db == nullptr ? "out of memory" : sqlite3_errmsg(db));
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyMilliseconds);
  // WAL with FULL: each commit is flushed before it is acknowledged. What is
  // erased is overwritten, so that a person's name does not stay in the file.
  for (const char* pragma :
       {"PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL",
        "PRAGMA temp_store = MEMORY", "PRAGMA secure_delete = ON"})
    ASSAY_RETURN_IF_ERROR(connection->Execute(pragma));
  if (access == Access::kWrite)
    ASSAY_RETURN_IF_ERROR(connection->Execute("PRAGMA journal_mode = WAL"));
  return connection;
}

Expected<SqliteConnection::Prepared*> SqliteConnection::Prepare(
    std::string_view statement) {
  if (const auto it = prepared_.find(statement); it != prepared_.end())
    return &it->second;
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), statement.data(),
                                      static_cast<int>(statement.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Prepared prepared;
  prepared.statement.reset(raw);
  if (code != SQLITE_OK) return Failure(statement);
  const int count = sqlite3_bind_parameter_count(raw);
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(raw, i);  // "$3"
    prepared.numbers.push_back(name == nullptr ? i : std::atoi(name + 1));
  }
  return &prepared_.emplace(std::string(statement), std::move(prepared))
              .first->second;
}

Status SqliteConnection::Bind(const Prepared& prepared,
                              std::span<const sql::Value> values) {
  sqlite3_stmt* statement = prepared.statement.get();
  for (std::size_t i = 0; i < prepared.numbers.size(); ++i) {
    const auto number = static_cast<std::size_t>(prepared.numbers[i]);
    if (number < 1 || number > values.size())
      return Internal("no value for $", number,
                      " in: ", sqlite3_sql(statement));
    if (BindValue(statement, static_cast<int>(i) + 1, values[number - 1]) !=
        SQLITE_OK)
      return Failure(sqlite3_sql(statement));
  }
  return {};
}

Expected<sql::Result> SqliteConnection::Execute(
    std::string_view text, std::span<const sql::Value> values) {
  ASSAY_ASSIGN_OR_RETURN(Prepared * prepared, Prepare(text));
  sqlite3_stmt* statement = prepared->statement.get();
  // Leaves no read lock and no borrowed value behind, whatever happens.
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  } reset{statement};
  ASSAY_RETURN_IF_ERROR(Bind(*prepared, values));

  sql::Result result;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<sql::Value> columns;
    const int count = sqlite3_column_count(statement);
    columns.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) columns.push_back(ReadColumn(statement, i));
    result.rows.emplace_back(std::move(columns));
  }
  if (code != SQLITE_DONE) return Failure(text);
  result.affected = sqlite3_changes64(db_.get());
  return result;
}

std::unexpected<Error> SqliteConnection::Failure(
    std::string_view statement) const {
  const Code code = CodeOf(sqlite3_extended_errcode(db_.get()));
  const char* words = sqlite3_errmsg(db_.get());
  switch (code) {
    case Code::kUnavailable:
      return Unavailable("the store cannot be written or read: ", words,
                         "; nothing was changed, check the disk that holds it");
    case Code::kDataLoss:
      return DataLoss("the store is damaged: ", words,
                      "; restore it from a backup");
    default:
      return Fail(code, words, " in: ", statement);
  }
}

}  // namespace assay::storage
