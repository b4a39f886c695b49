#ifndef ASSAY_SERVICES_CLI_PRINTABLE_H_
#define ASSAY_SERVICES_CLI_PRINTABLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::cli {

enum class Lines {
  // Line breaks and tabs become spaces: the text fits one row.
  kOne,
  // Line breaks and tabs stay.
  kMany,
};

// `text` with everything taken out that could drive a terminal or disguise
// itself: control characters (C0, C1, DEL), bidirectional overrides and
// isolates; bytes that are not UTF-8 become U+FFFD. Everything that a candidate
// can influence (commit subjects, logs, reasons, span names) goes through it.
std::string Printable(std::string_view text, Lines lines = Lines::kOne);

// Number of terminal columns, counting each code point as one.
std::size_t Columns(std::string_view utf8);

// The first `columns` columns; a cut is shown by "…".
std::string Shorten(std::string_view utf8, std::size_t columns);

// Spaces added on the right (or left) up to `columns`.
std::string PadRight(std::string_view utf8, std::size_t columns);
std::string PadLeft(std::string_view utf8, std::size_t columns);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_PRINTABLE_H_
