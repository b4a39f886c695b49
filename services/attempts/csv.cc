#include "services/attempts/csv.h"

#include <optional>
#include <utility>

namespace assay::attempts {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  CsvFile Parse() {
    CsvFile file;
    while (at_ < text_.size()) {
      CsvRecord record{.line = line_};
      if (auto problem = ReadRecord(record)) {
        SkipLine(*problem);
        file.problems.push_back(
            {.line = problem->line, .message = problem->message});
        continue;
      }
      const bool empty = record.fields.size() == 1 && record.fields[0].empty();
      if (!empty) file.records.push_back(std::move(record));
    }
    return file;
  }

 private:
  struct Problem {
    const char* message;
    std::int32_t line;
    // Within that line.
    std::size_t at;
  };

  void SkipLine(const Problem& problem) {
    const std::size_t end = text_.find('\n', problem.at);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    line_ = problem.line + 1;
  }

  std::optional<Problem> ReadRecord(CsvRecord& record) {
    for (;;) {
      std::string& field = record.fields.emplace_back();
      if (const auto problem = At('"') ? ReadQuoted(field) : ReadPlain(field))
        return problem;
      if (At(',')) {
        ++at_;
        continue;
      }
      if (At('\r')) ++at_;
      if (At('\n')) {
        ++at_;
        ++line_;
      }
      return std::nullopt;
    }
  }

  std::optional<Problem> ReadPlain(std::string& field) {
    while (at_ < text_.size() && !At(',') && !At('\n') && !AtLineEnd()) {
      if (At('"'))
        return Problem{
            "found a quote inside a field; put the whole field in quotes and "
            "double those within",
            line_, at_};
      field += text_[at_++];
    }
    return std::nullopt;
  }

  std::optional<Problem> ReadQuoted(std::string& field) {
    const Problem open{
        "found a quote that is not closed; close it, or remove "
        "it",
        line_, at_};
    ++at_;
    while (at_ < text_.size()) {
      if (At('"')) {
        ++at_;
        if (!At('"')) return AfterQuote();
      }
      if (At('\n')) ++line_;
      field += text_[at_++];
    }
    return open;
  }

  std::optional<Problem> AfterQuote() const {
    if (at_ == text_.size() || At(',') || At('\n') || AtLineEnd())
      return std::nullopt;
    return Problem{
        "expected a comma or the end of the line after a closing quote; "
        "double the quotes within a field",
        line_, at_};
  }

  bool At(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool AtLineEnd() const { return text_.substr(at_).starts_with("\r\n"); }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::int32_t line_ = 1;
};

}  // namespace

CsvFile ParseCsv(std::string_view text) {
  if (text.starts_with(kByteOrderMark))
    text.remove_prefix(kByteOrderMark.size());
  return Parser(text).Parse();
}

}  // namespace assay::attempts
