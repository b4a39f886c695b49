// Queries are authors', documents are candidates': the first line is the query,
// the rest the document.

#include <cstdint>
#include <cstdlib>

#include "runner/suite/json_text.h"
#include "runner/suite/jsonpath.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const auto path = assay::suite::JsonPath::Parse(text.substr(0, line));
  if (!path) return 0;
  const auto document =
      assay::suite::ParseJson(text.substr(std::min(line + 1, text.size())));
  if (!document) return 0;
  const auto nodes = path->Select(*document);
  if (!nodes) return 0;
  if (path->singular() && nodes->size() > 1) std::abort();
  // A normalised path is a query that finds the same node.
  for (std::size_t i = 0; i < std::min<std::size_t>(nodes->size(), 5); ++i) {
    const auto& node = (*nodes)[i];
    if (node.path.size() > assay::suite::JsonPath::kMaxLength) continue;
    const auto again = assay::suite::JsonPath::Parse(node.path);
    if (!again || !again->singular()) std::abort();
    const auto found = again->Select(*document);
    if (!found || found->size() != 1 || found->front().value != node.value) {
      std::abort();
    }
  }
  return 0;
}
