#include "services/storage/sql/cursor.h"

#include <algorithm>
#include <charconv>

namespace assay::storage::sql {

Expected<Cursor> ParseCursor(const Page& page, Cursor start) {
  if (page.token.empty()) return start;
  const char* begin = page.token.data();
  const char* end = begin + page.token.size();
  Cursor cursor;
  const auto [stop, error] = std::from_chars(begin, end, cursor.time);
  if (error != std::errc() || stop == end || *stop != '.')
    return InvalidArgument(
        "page_token is not one that this list has answered with; leave it "
        "empty for the first page");
  cursor.id.assign(stop + 1, end);
  return cursor;
}

std::string FormatCursor(const Cursor& cursor) {
  return std::to_string(cursor.time) + "." + cursor.id;
}

std::int32_t PageSize(const Page& page) {
  if (page.size <= 0) return Page::kDefaultSize;
  return std::min(page.size, Page::kMaxSize);
}

}  // namespace assay::storage::sql
