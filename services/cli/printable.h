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
// isolates, what is invisible; bytes that are not UTF-8 become U+FFFD.
// Everything that a candidate can influence (commit subjects, logs, reasons,
// span names) goes through it.
std::string Printable(std::string_view text, Lines lines = Lines::kOne);

// The same, but for the colours that Console::Paint uses where `colors` says
// so; line breaks and tabs stay. What is printed goes through it last, so that
// a command that forgets the above shows a candidate's colours at worst.
std::string Presentable(std::string_view text, bool colors);

// JSON that says the same with everything that Printable takes out written as
// \u escapes. Protobuf and nlohmann leave DEL, C1 and disguises as they are.
std::string PrintableJson(std::string_view json);

// Number of terminal columns, counting each code point as one.
std::size_t Columns(std::string_view utf8);

// The first `columns` columns; a cut is shown by "…".
std::string Shorten(std::string_view utf8, std::size_t columns);

// Spaces added on the right (or left) up to `columns`.
std::string PadRight(std::string_view utf8, std::size_t columns);
std::string PadLeft(std::string_view utf8, std::size_t columns);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_PRINTABLE_H_
