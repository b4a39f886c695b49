#ifndef ASSAY_SERVICES_GATEWAY_ASSET_H_
#define ASSAY_SERVICES_GATEWAY_ASSET_H_

#include <span>
#include <string_view>

namespace assay::gateway {

// A file of the dashboard, embedded in the program.
struct Asset {
  // "/assets/index-3f2a.js"; "/index.html" answers every page of the app.
  std::string_view path;
  // "text/javascript; charset=utf-8".
  std::string_view content_type;
  // Strong entity tag with its quotes.
  std::string_view etag;
  std::string_view bytes;
  // The name carries a hash of the content: may be cached for ever.
  bool immutable = false;
  // `bytes` compressed by gzip; empty where that would not be smaller.
  std::string_view gzip = {};
};

using Assets = std::span<const Asset>;

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_ASSET_H_
