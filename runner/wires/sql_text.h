#ifndef ASSAY_RUNNER_WIRES_SQL_TEXT_H_
#define ASSAY_RUNNER_WIRES_SQL_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace assay::wires {

// One statement as it was sent, taken apart for its span.
struct SqlText {
  // Literals as `?`, comments gone, white space single, lists after IN as one
  // placeholder: the same for every execution of one line of code.
  std::string normalised;
  // "SELECT orders": the operation and its first table, if it has one.
  std::string operation;
  std::string table;
  // What stood where `normalised` has `?`, in order, each cut to kLiteral.
  std::vector<std::string> literals;
  // A W3C traceparent in a comment, as sqlcommenter writes it.
  std::string traceparent;

  static constexpr std::size_t kLiterals = 64;
  static constexpr std::size_t kLiteral = 256;

  std::string Summary() const {
    return table.empty() ? operation : operation + " " + table;
  }
};

// Reads PostgreSQL's lexical rules (standard_conforming_strings on), not its
// grammar: never fails, linear in the text.
SqlText ReadSql(std::string_view statement);

// The statements of a simple query, split at the semicolons that are neither
// quoted nor in comments. Pieces without a token are left out, like the server
// does, so that the n-th piece is the n-th answer.
std::vector<std::string_view> SplitSql(std::string_view query);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_SQL_TEXT_H_
