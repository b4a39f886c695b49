#ifndef ASSAY_SERVICES_ATTEMPTS_CSV_H_
#define ASSAY_SERVICES_ATTEMPTS_CSV_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::attempts {

struct CsvRecord {
  // Where it begins, from 1: a quoted field may hold line breaks.
  std::int32_t line = 0;
  std::vector<std::string> fields;
};

// Reads RFC 4180: fields in quotes may hold commas, quotes (doubled) and line
// breaks; lines end in LF or CRLF; a byte order mark and empty lines are
// skipped.
//
// kInvalidArgument: a quote that is not closed or stands inside a plain field,
// with its line.
Expected<std::vector<CsvRecord>> ParseCsv(std::string_view text);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_CSV_H_
