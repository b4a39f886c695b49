#ifndef ASSAY_SERVICES_ATTEMPTS_CSV_H_
#define ASSAY_SERVICES_ATTEMPTS_CSV_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::attempts {

struct CsvRecord {
  // Where it begins, from 1: a quoted field may hold line breaks.
  std::int32_t line = 0;
  std::vector<std::string> fields;
};

struct CsvProblem {
  std::int32_t line = 0;
  std::string message;
};

struct CsvFile {
  std::vector<CsvRecord> records;
  // Lines with a quote that is not closed or stands inside a plain field. The
  // lines after one are read as if it had none.
  std::vector<CsvProblem> problems;
};

// Reads RFC 4180: fields in quotes may hold commas, quotes (doubled) and line
// breaks; lines end in LF or CRLF; a byte order mark and empty lines are
// skipped.
CsvFile ParseCsv(std::string_view text);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_CSV_H_
