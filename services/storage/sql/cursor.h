#ifndef ASSAY_SERVICES_STORAGE_SQL_CURSOR_H_
#define ASSAY_SERVICES_STORAGE_SQL_CURSOR_H_

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "proto/base/error.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage::sql {

// Where a page begins: after the row with this time and id. Lists are ordered
// by (time, id), so that rows that come and go shift nothing.
struct Cursor {
  std::int64_t time = 0;
  std::string id;
};

// The cursor of `page`; `start` for the first one.
// kInvalidArgument: the token is none of ours.
Expected<Cursor> ParseCursor(const Page& page, Cursor start);
std::string FormatCursor(const Cursor& cursor);

inline Cursor Newest() {
  return {std::numeric_limits<std::int64_t>::max(), ""};
}
inline Cursor Oldest() {
  return {std::numeric_limits<std::int64_t>::min(), ""};
}

// Rows that a page has, within the bounds of Page.
std::int32_t PageSize(const Page& page);

// Makes a page of the rows of a query that asked for PageSize + 1 of them.
// `read` makes an item of a row, `key` a cursor of an item.
template <class T, class Read, class Key>
PageOf<T> MakePage(const Result& result, const Page& page, Read read, Key key) {
  PageOf<T> answer;
  const auto size = static_cast<std::size_t>(PageSize(page));
  for (const Row& row : result.rows) {
    if (answer.items.size() == size) {
      answer.next_token = FormatCursor(key(answer.items.back()));
      break;
    }
    answer.items.push_back(read(row));
  }
  return answer;
}

}  // namespace assay::storage::sql

#endif  // ASSAY_SERVICES_STORAGE_SQL_CURSOR_H_
