#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_DSN_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_DSN_H_

#include <map>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::storage {

// Where a PostgreSQL store is, as libpq takes it.
struct PostgresDsn {
  // By libpq's keyword; what was not given is left to libpq's environment and
  // files, where passwords belong.
  std::map<std::string, std::string> parameters;

  // "postgres://assay@db.example:5432/assay", never with a password: for
  // messages.
  std::string Describe() const;
};

// Whether `text` is meant as one, rather than as a file.
bool IsPostgresDsn(std::string_view text);

// postgres://user@host:port/database?option=value, also postgresql://.
// kInvalidArgument: libpq cannot read it.
Expected<PostgresDsn> ParsePostgresDsn(const std::string& text);

// libpq's messages in one line, as our own are.
std::string OneLine(std::string_view text);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_DSN_H_
