#include "services/storage/postgres/values.h"

#include <endian.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

namespace assay::storage {
namespace {

// From pg_type, where they are fixed for ever.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kFloat8 = 701;
constexpr Oid kVarchar = 1043;
// Of a NULL, and of a literal that nothing gives a type.
constexpr Oid kUnspecified = 0;
constexpr Oid kUnknown = 705;

template <class T>
T ReadNumber(const char* data) {
  T number;
  std::memcpy(&number, data, sizeof number);
  return number;
}

Expected<sql::Value> ReadColumn(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return sql::Value();
  const char* data = PQgetvalue(result, row, column);
  const auto size = static_cast<std::size_t>(PQgetlength(result, row, column));
  switch (PQftype(result, column)) {
    case kInt8:
      return std::bit_cast<std::int64_t>(
          be64toh(ReadNumber<std::uint64_t>(data)));
    case kInt4:
      return std::int64_t{std::bit_cast<std::int32_t>(
          be32toh(ReadNumber<std::uint32_t>(data)))};
    case kBool:
      return std::int64_t{*data != 0 ? 1 : 0};
    case kFloat8:
      return std::bit_cast<double>(be64toh(ReadNumber<std::uint64_t>(data)));
    case kText:
    case kVarchar:
    case kUnknown:
      return std::string(data, size);
    case kBytea:
      return sql::Bytes{std::string(data, size)};
    default:
      return Internal("column ", PQfname(result, column), " has type ",
                      PQftype(result, column),
                      ", which the tables do not use: cast it to BIGINT, "
                      "DOUBLE PRECISION, TEXT or BYTEA");
  }
}

}  // namespace

PostgresParameters::PostgresParameters(std::span<const sql::Value> values) {
  numbers_.reserve(values.size());
  const auto add = [this](Oid type, const char* data, std::size_t size) {
    types_.push_back(type);
    data_.push_back(data);
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(1);
  };
  const auto add_number = [&](Oid type, std::uint64_t bits) {
    numbers_.push_back(htobe64(bits));
    add(type, reinterpret_cast<const char*>(&numbers_.back()), sizeof bits);
  };
  for (const sql::Value& value : values) {
    std::visit(
        [&](const auto& held) {
          using T = std::decay_t<decltype(held)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            add(kUnspecified, nullptr, 0);
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            add_number(kInt8, std::bit_cast<std::uint64_t>(held));
          } else if constexpr (std::is_same_v<T, double>) {
            add_number(kFloat8, std::bit_cast<std::uint64_t>(held));
          } else if constexpr (std::is_same_v<T, std::string>) {
            add(kText, held.data(), held.size());
          } else {
            add(kBytea, held.value.data(), held.value.size());
          }
        },
        value);
  }
}

std::string PostgresParameters::Signature() const {
  std::string signature;
  signature.reserve(types_.size());
  for (const Oid type : types_) {
    signature.push_back(type == kInt8     ? 'i'
                        : type == kFloat8 ? 'd'
                        : type == kText   ? 't'
                        : type == kBytea  ? 'b'
                                          : '?');
  }
  return signature;
}

Expected<std::vector<sql::Row>> ReadPostgresRows(const PGresult* result) {
  const int rows = PQntuples(result);
  const int columns = PQnfields(result);
  std::vector<sql::Row> answer;
  answer.reserve(static_cast<std::size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    std::vector<sql::Value> values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      ASSAY_ASSIGN_OR_RETURN(sql::Value value, ReadColumn(result, row, column));
      values.push_back(std::move(value));
    }
    answer.emplace_back(std::move(values));
  }
  return answer;
}

}  // namespace assay::storage
