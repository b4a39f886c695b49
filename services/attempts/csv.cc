#include "services/attempts/csv.h"

#include <utility>

namespace assay::attempts {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expected<std::vector<CsvRecord>> Parse() {
    std::vector<CsvRecord> records;
    while (at_ < text_.size()) {
      CsvRecord record{.line = line_};
      ASSAY_RETURN_IF_ERROR(ReadRecord(record));
      const bool empty = record.fields.size() == 1 && record.fields[0].empty();
      if (!empty) records.push_back(std::move(record));
    }
    return records;
  }

 private:
  Status ReadRecord(CsvRecord& record) {
    for (;;) {
      std::string& field = record.fields.emplace_back();
      ASSAY_RETURN_IF_ERROR(At('"') ? ReadQuoted(field) : ReadPlain(field));
      if (At(',')) {
        ++at_;
        continue;
      }
      if (At('\r')) ++at_;
      if (At('\n')) {
        ++at_;
        ++line_;
      }
      return {};
    }
  }

  Status ReadPlain(std::string& field) {
    while (at_ < text_.size() && !At(',') && !At('\n') && !AtLineEnd()) {
      if (At('"'))
        return InvalidArgument("line ", line_,
                               ": a quote inside a field; put the whole field "
                               "in quotes and double those within");
      field += text_[at_++];
    }
    return {};
  }

  Status ReadQuoted(std::string& field) {
    const std::int32_t begin = line_;
    ++at_;
    while (at_ < text_.size()) {
      if (At('"')) {
        ++at_;
        if (!At('"')) return AfterQuote(begin);
      }
      if (At('\n')) ++line_;
      field += text_[at_++];
    }
    return InvalidArgument("line ", begin, ": a quote is not closed");
  }

  Status AfterQuote(std::int32_t begin) const {
    if (at_ == text_.size() || At(',') || At('\n') || AtLineEnd()) return {};
    return InvalidArgument("line ", begin,
                           ": after a closing quote there must be a comma or "
                           "the end of the line");
  }

  bool At(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool AtLineEnd() const { return text_.substr(at_).starts_with("\r\n"); }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::int32_t line_ = 1;
};

}  // namespace

Expected<std::vector<CsvRecord>> ParseCsv(std::string_view text) {
  if (text.starts_with(kByteOrderMark))
    text.remove_prefix(kByteOrderMark.size());
  return Parser(text).Parse();
}

}  // namespace assay::attempts
