#ifndef ASSAY_SERVICES_STORAGE_PAGE_H_
#define ASSAY_SERVICES_STORAGE_PAGE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace assay::storage {

// Which part of a list is wanted. `token` is empty for the first page, else
// what the page before it answered.
struct Page {
  static constexpr std::int32_t kDefaultSize = 50;
  static constexpr std::int32_t kMaxSize = 500;

  std::int32_t size = kDefaultSize;
  std::string token;
};

template <class T>
struct PageOf {
  std::vector<T> items;
  // Empty on the last page.
  std::string next_token;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_PAGE_H_
