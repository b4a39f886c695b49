#include "services/storage/postgres/move.h"

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "services/storage/migrations/migrations.h"
#include "services/storage/postgres/session.h"
#include "services/storage/sqlite/sqlite_connection.h"
#include "services/storage/sqlite/sqlite_store.h"

namespace assay::storage {
namespace {

// Rows that are in memory at once.
constexpr std::int64_t kPage = 500;

struct Column {
  std::string name;
  bool text = false;
};

struct Table {
  std::string name;
  std::vector<Column> columns;
  // In the order of the primary key.
  std::vector<Column> key;
};

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string Quoted(const std::string& name) { return "\"" + name + "\""; }

std::vector<std::string> Names(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(Quoted(column.name));
  return names;
}

// "$1, $2, ..." from `first` on.
std::string Placeholders(std::size_t first, std::size_t count) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < count; ++i)
    words.push_back("$" + std::to_string(first + i));
  return Join(words);
}

Expected<Table> Describe(SqliteConnection& from, std::string name) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      from.Execute("SELECT name, type, pk FROM pragma_table_info($1) "
                   "ORDER BY cid",
                   {name}));
  Table table{.name = std::move(name), .columns = {}, .key = {}};
  for (std::int64_t position = 1; position <= std::ssize(found.rows);
       ++position)
    for (const sql::Row& row : found.rows)
      if (row.Int(2) == position)
        table.key.push_back({row.Text(0), row.Text(1) == "TEXT"});
  for (const sql::Row& row : found.rows)
    table.columns.push_back({row.Text(0), row.Text(1) == "TEXT"});
  if (table.key.empty())
    return Internal("table ", table.name, " has no primary key");
  return table;
}

// In the order in which they were made: what others refer to comes first.
Expected<std::vector<Table>> ListTables(SqliteConnection& from) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      from.Execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                   "name NOT LIKE 'sqlite_%' ORDER BY rowid"));
  std::vector<Table> tables;
  for (const sql::Row& row : found.rows) {
    ASSAY_ASSIGN_OR_RETURN(Table table, Describe(from, row.Text(0)));
    tables.push_back(std::move(table));
  }
  return tables;
}

// Walks a table of the SQLite file by its primary key.
class Walk {
 public:
  Walk(SqliteConnection& from, const Table& table) : from_(from) {
    const std::string key = Join(Names(table.key));
    const std::string select =
        "SELECT " + Join(Names(table.columns)) + " FROM " + Quoted(table.name);
    const std::string order = " ORDER BY " + key + " LIMIT ";
    first_ = select + order + "$1";
    next_ = select + " WHERE (" + key + ") > (" +
            Placeholders(2, table.key.size()) + ")" + order + "$1";
    for (const Column& part : table.key)
      for (std::size_t i = 0; i < table.columns.size(); ++i)
        if (table.columns[i].name == part.name) key_columns_.push_back(i);
  }

  // Empty at the end.
  Expected<std::vector<sql::Row>> Next() {
    std::vector<sql::Value> values{kPage};
    for (const sql::Value& value : last_) values.push_back(value);
    ASSAY_ASSIGN_OR_RETURN(
        sql::Result page,
        from_.Execute(last_.empty() ? first_ : next_, std::span(values)));
    last_.clear();
    if (!page.rows.empty())
      for (const std::size_t column : key_columns_)
        last_.push_back(page.rows.back().columns()[column]);
    return std::move(page.rows);
  }

 private:
  SqliteConnection& from_;
  std::string first_, next_;
  std::vector<std::size_t> key_columns_;
  std::vector<sql::Value> last_;
};

Expected<std::int64_t> Copy(SqliteConnection& from, PostgresConnection& to,
                            const Table& table) {
  const std::string insert = "INSERT INTO " + Quoted(table.name) + " (" +
                             Join(Names(table.columns)) + ") VALUES (" +
                             Placeholders(1, table.columns.size()) + ")";
  Walk walk(from, table);
  std::int64_t copied = 0;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const auto rows, walk.Next());
    if (rows.empty()) return copied;
    for (const sql::Row& row : rows)
      ASSAY_RETURN_IF_ERROR(to.Post(insert, row.columns()));
    // Waits for the page.
    if (auto done = to.Execute("SELECT 1"); !done)
      return std::unexpected(done.error().Within("copying " + table.name));
    copied += std::ssize(rows);
  }
}

// Reads both sides in the order of the key and compares every column.
Status Compare(SqliteConnection& from, PostgresConnection& to,
               const Table& table) {
  // FETCH is prepared, and so may not answer differently another time.
  const std::string cursor = Quoted("compared_" + table.name);
  std::vector<std::string> order;
  for (const Column& part : table.key)
    order.push_back(Quoted(part.name) + (part.text ? " COLLATE \"C\"" : ""));
  ASSAY_RETURN_IF_ERROR(
      to.Execute("DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " +
                 Join(Names(table.columns)) + " FROM " + Quoted(table.name) +
                 " ORDER BY " + Join(order)));
  Walk walk(from, table);
  std::int64_t number = 0;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const auto expected, walk.Next());
    ASSAY_ASSIGN_OR_RETURN(
        const sql::Result found,
        to.Execute("FETCH " + std::to_string(kPage) + " FROM " + cursor));
    const std::size_t both = std::min(expected.size(), found.rows.size());
    for (std::size_t i = 0; i < both; ++i, ++number)
      if (expected[i].columns() != found.rows[i].columns())
        return DataLoss("row ", number + 1, " of ", table.name,
                        " is not the same on both sides");
    if (expected.size() != found.rows.size())
      return DataLoss(table.name, " has ",
                      expected.size() > both ? "fewer" : "more",
                      " rows in PostgreSQL than in the file");
    if (expected.empty()) break;
  }
  ASSAY_RETURN_IF_ERROR(to.Execute("CLOSE " + cursor));
  return {};
}

Expected<bool> IsEmpty(PostgresConnection& to,
                       const std::vector<Table>& tables) {
  for (const Table& table : tables) {
    if (table.name == "schema_versions") continue;
    ASSAY_ASSIGN_OR_RETURN(
        const sql::Result found,
        to.Execute("SELECT 1 FROM " + Quoted(table.name) + " LIMIT 1"));
    if (!found.rows.empty()) return false;
  }
  return true;
}

Expected<MoveReport> CopyAndCompare(SqliteConnection& from,
                                    PostgresConnection& to) {
  ASSAY_RETURN_IF_ERROR(Migrate(to, AllMigrations()));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Table> tables, ListTables(from));
  ASSAY_ASSIGN_OR_RETURN(const bool empty, IsEmpty(to, tables));
  MoveReport report{
      .tables = static_cast<int>(tables.size()), .rows = 0, .repeated = !empty};
  for (const Table& table : tables) {
    if (!empty || table.name == "schema_versions") continue;
    ASSAY_ASSIGN_OR_RETURN(const std::int64_t rows, Copy(from, to, table));
    report.rows += rows;
  }
  for (const Table& table : tables) {
    const Status same = Compare(from, to, table);
    if (!same && !empty)
      return FailedPrecondition(
          "the PostgreSQL store is not empty, and holds something else: ",
          same.error().message, "; name an empty database");
    if (!same) return std::unexpected(same.error());
  }
  return report;
}

}  // namespace

Expected<MoveReport> MoveToPostgres(const std::filesystem::path& file,
                                    const PostgresDsn& dsn) {
  if (!std::filesystem::exists(file))
    return NotFound("there is no SQLite store ", file.string(),
                    ": expected the --data-dir of an assayd");
  ASSAY_ASSIGN_OR_RETURN(auto to, OpenSession(dsn));
  // Migrates it.
  ASSAY_RETURN_IF_ERROR(OpenSqlite(file, {.readers = 0}));
  ASSAY_ASSIGN_OR_RETURN(
      auto from, SqliteConnection::Open(file, SqliteConnection::Access::kRead));
  ASSAY_RETURN_IF_ERROR(from->Execute("BEGIN"));
  ASSAY_RETURN_IF_ERROR(BeginWriting(*to));
  auto report = CopyAndCompare(*from, *to);
  if (!report) {
    std::ignore = to->Execute("ROLLBACK");
    return report;
  }
  ASSAY_RETURN_IF_ERROR(to->Execute("COMMIT"));
  return report;
}

}  // namespace assay::storage
