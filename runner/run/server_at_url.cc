#include "runner/run/server_at_url.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace assay::run {

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

Expected<std::unique_ptr<ServerAtUrl>> ServerAtUrl::Make(
    boost::asio::any_io_executor executor, const std::string& url) {
  ASSAY_ASSIGN_OR_RETURN(const std::uint16_t port, PortOfUrl(url));
  return std::unique_ptr<ServerAtUrl>(
      new ServerAtUrl(std::move(executor), port));
}

}  // namespace assay::run
