#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_VALUES_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_VALUES_H_

#include <libpq-fe.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// The parameters of one statement in PostgreSQL's binary format. Text goes as
// binary too: its length counts, so that a NUL is refused and cuts nothing.
//
// Ownership: borrows `values` for as long as it lives.
class PostgresParameters {
 public:
  explicit PostgresParameters(std::span<const sql::Value> values);
  PostgresParameters(const PostgresParameters&) = delete;
  PostgresParameters& operator=(const PostgresParameters&) = delete;

  int count() const { return static_cast<int>(data_.size()); }
  const Oid* types() const { return types_.data(); }
  const char* const* data() const { return data_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }
  // One letter for each parameter's type. A statement is prepared once for each
  // signature: NULL's type is the server's to find.
  std::string Signature() const;

 private:
  std::vector<Oid> types_;
  std::vector<const char*> data_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  // Numbers in network order; never grows after its first element is pointed
  // at.
  std::vector<std::uint64_t> numbers_;
};

// The rows of an answer in binary format. kInternal: a column has a type that
// the tables do not use.
Expected<std::vector<sql::Row>> ReadPostgresRows(const PGresult* result);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_VALUES_H_
