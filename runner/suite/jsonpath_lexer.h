#ifndef ASSAY_RUNNER_SUITE_JSONPATH_LEXER_H_
#define ASSAY_RUNNER_SUITE_JSONPATH_LEXER_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace assay::suite::jsonpath {

// What ends a parse.
struct SyntaxError {
  std::size_t position;
  std::string message;
};

// Reads a query's characters, numbers, names and strings. Throws SyntaxError,
// which the parser's entry catches.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  bool AtEnd() const { return position_ >= text_.size(); }
  // NUL at the end.
  char Peek(std::size_t ahead = 0) const;
  bool LooksAt(std::string_view token) const;
  // Takes the token if it comes next.
  bool Take(std::string_view token);
  void Expect(std::string_view token, std::string_view where);
  void SkipBlanks();
  std::size_t position() const { return position_; }
  void Rewind(std::size_t position) { position_ = position; }

  [[noreturn]] void Fail(std::string message) const;

  // An index or a bound of a slice: exact in a double, no leading zeros.
  std::int64_t Integer();
  bool AtInteger() const;
  // A number in a comparison.
  nlohmann::json Number();
  // In single or double quotes.
  std::string String();
  bool AtString() const { return Peek() == '"' || Peek() == '\''; }
  // After a dot.
  std::string MemberName();
  bool AtMemberName() const;
  // Lower-case letters, digits and _; empty: none comes next.
  std::string FunctionName();

 private:
  char32_t Escape(char quote);
  char32_t HexUnit();

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace assay::suite::jsonpath

#endif  // ASSAY_RUNNER_SUITE_JSONPATH_LEXER_H_
