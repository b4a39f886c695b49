#ifndef ASSAY_RUNNER_SUITE_JSONPATH_H_
#define ASSAY_RUNNER_SUITE_JSONPATH_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"

namespace assay::suite {

namespace jsonpath {
struct Query;
}  // namespace jsonpath

// One node that a query selected.
struct PathNode {
  // RFC 9535's normalised path: `$['lines'][0]['sku']`.
  std::string path;
  // Borrowed from the document.
  const nlohmann::json* value = nullptr;
};

// A JSONPath query (RFC 9535, complete), parsed and checked for well-typedness.
// match() and search() take I-Regexp (RFC 9485), run on RE2 in linear time.
//
// Threads: immutable, and may be shared.
class JsonPath {
 public:
  // Queries are at most this long, and nest at most 64 deep.
  static constexpr std::size_t kMaxLength = 4096;
  // Nodes that one evaluation may visit.
  static constexpr std::size_t kMaxVisits = 2'000'000;

  // INVALID_ARGUMENT says what is wrong and at which character, from 1.
  static Expected<JsonPath> Parse(std::string_view text);

  // The nodelist, in the order of the RFC.
  // RESOURCE_EXHAUSTED: more than kMaxVisits nodes would be visited.
  Expected<std::vector<PathNode>> Select(const nlohmann::json& document) const;

  // Whether the query can yield at most one node, by its form.
  bool singular() const;
  const std::string& text() const { return text_; }

 private:
  JsonPath(std::string text, std::shared_ptr<const jsonpath::Query> query);

  std::string text_;
  std::shared_ptr<const jsonpath::Query> query_;
};

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_JSONPATH_H_
