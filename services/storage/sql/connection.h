#ifndef ASSAY_SERVICES_STORAGE_SQL_CONNECTION_H_
#define ASSAY_SERVICES_STORAGE_SQL_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"

namespace assay::storage::sql {

// Bytes as opposed to text: a BYTEA column.
struct Bytes {
  std::string value;
  bool operator==(const Bytes&) const = default;
};

// What a column or a parameter holds; monostate is NULL.
using Value =
    std::variant<std::monostate, std::int64_t, double, std::string, Bytes>;

// Parameters from what the tables hold.
inline Value Time(Clock::TimePoint time) { return ToMicros(time); }
inline Value Time(const std::optional<Clock::TimePoint>& time) {
  return time ? Value(ToMicros(*time)) : Value();
}
inline Value Flag(bool flag) { return std::int64_t{flag ? 1 : 0}; }
inline Value Number(std::int64_t number) { return number; }

// One row of an answer, by column from 0. A column of another type, or NULL,
// reads as zero or empty: the schema is ours.
class Row {
 public:
  explicit Row(std::vector<Value> columns) : columns_(std::move(columns)) {}

  const std::vector<Value>& columns() const { return columns_; }
  bool IsNull(std::size_t column) const;
  std::int64_t Int(std::size_t column) const;
  double Real(std::size_t column) const;
  const std::string& Text(std::size_t column) const;
  const std::string& Blob(std::size_t column) const;
  bool Flag(std::size_t column) const { return Int(column) != 0; }
  Clock::TimePoint Time(std::size_t column) const {
    return FromMicros(Int(column));
  }
  std::optional<Clock::TimePoint> MaybeTime(std::size_t column) const {
    if (IsNull(column)) return std::nullopt;
    return Time(column);
  }

 private:
  std::vector<Value> columns_;
};

struct Result {
  std::vector<Row> rows;
  // Rows that an INSERT, UPDATE or DELETE touched.
  std::int64_t affected = 0;
};

// One connection to a database, inside a transaction that its owner controls.
// Statements are plain SQL that SQLite and PostgreSQL both take, with $1
// placeholders; they are prepared once and kept.
//
// Threads: used by one thread at a time; Execute blocks.
// Errors: kAlreadyExists for a broken unique constraint, kAborted for a
// conflict with another transaction (the closure runs again), kUnavailable
// when the disk is full or cannot be written.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Expected<Result> Execute(std::string_view statement,
                                   std::span<const Value> parameters) = 0;

  // Executes a write whose answer nobody needs: where the database is another
  // process, without waiting for it. What fails then fails the transaction.
  virtual Status Post(std::string_view statement,
                      std::span<const Value> parameters) {
    auto done = Execute(statement, parameters);
    if (!done) return std::unexpected(std::move(done).error());
    return {};
  }

  // What a SELECT of the row to be changed ends with, so that it passes over
  // rows that a transaction beside this one is about to change. Empty where
  // there is never one beside.
  virtual std::string_view SkipLocked() const { return ""; }

  Expected<Result> Execute(std::string_view statement,
                           std::initializer_list<Value> parameters = {}) {
    return Execute(statement, std::span<const Value>(parameters.begin(),
                                                     parameters.size()));
  }
  Status Post(std::string_view statement,
              std::initializer_list<Value> parameters) {
    return Post(statement,
                std::span<const Value>(parameters.begin(), parameters.size()));
  }
};

}  // namespace assay::storage::sql

#endif  // ASSAY_SERVICES_STORAGE_SQL_CONNECTION_H_
