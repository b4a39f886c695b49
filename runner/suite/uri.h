#ifndef ASSAY_RUNNER_SUITE_URI_H_
#define ASSAY_RUNNER_SUITE_URI_H_

#include <string>
#include <string_view>

namespace assay::suite {

// A URI reference in its parts (RFC 3986). Nothing is fetched by it.
struct Uri {
  std::string scheme;
  bool has_authority = false;
  std::string authority;
  std::string path;
  std::string query;  // with its "?"
  std::string fragment;

  static Uri Parse(std::string_view text);
  // What `reference` means in a document with this URI.
  Uri Resolve(const Uri& reference) const;
  // Without the fragment: the name of a document.
  std::string Document() const;
};

// "a%20b" to "a b"; malformed escapes stay as they are.
std::string PercentDecode(std::string_view text);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_URI_H_
