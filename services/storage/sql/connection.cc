#include "services/storage/sql/connection.h"

namespace assay::storage::sql {
namespace {

const std::string kEmpty;

}  // namespace

bool Row::IsNull(std::size_t column) const {
  return column >= columns_.size() ||
         std::holds_alternative<std::monostate>(columns_[column]);
}

std::int64_t Row::Int(std::size_t column) const {
  if (IsNull(column)) return 0;
  const auto* number = std::get_if<std::int64_t>(&columns_[column]);
  return number != nullptr ? *number : 0;
}

double Row::Real(std::size_t column) const {
  if (IsNull(column)) return 0;
  if (const auto* real = std::get_if<double>(&columns_[column])) return *real;
  return static_cast<double>(Int(column));
}

const std::string& Row::Text(std::size_t column) const {
  if (IsNull(column)) return kEmpty;
  const auto* text = std::get_if<std::string>(&columns_[column]);
  return text != nullptr ? *text : kEmpty;
}

const std::string& Row::Blob(std::size_t column) const {
  if (IsNull(column)) return kEmpty;
  const auto* bytes = std::get_if<Bytes>(&columns_[column]);
  return bytes != nullptr ? bytes->value : kEmpty;
}

}  // namespace assay::storage::sql
