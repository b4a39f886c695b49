#include "runner/suite/local_url.h"

#include <charconv>
#include <string_view>

namespace assay::suite {

Expected<std::uint16_t> PortOfUrl(const std::string& url) {
  std::string_view rest = url;
  for (const std::string_view start :
       {"http://localhost", "http://127.0.0.1"}) {
    if (!rest.starts_with(start)) continue;
    rest.remove_prefix(start.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.empty()) return 80;
    std::uint16_t port = 0;
    const char* const last = rest.data() + rest.size();
    const auto [end, error] = std::from_chars(rest.data() + 1, last, port);
    if (rest[0] == ':' && error == std::errc() && end == last && port > 0) {
      return port;
    }
  }
  return InvalidArgument("cannot run against ", url,
                         "; expected a server on this machine, like "
                         "http://localhost:3000");
}

}  // namespace assay::suite
