#include "services/gateway/read_body.h"

#include <boost/beast/core/string.hpp>
#include <utility>
#include <vector>

namespace assay::gateway {

std::string_view HttpRequest::Field(std::string_view name) const {
  for (const auto& [field, value] : fields)
    if (boost::beast::iequals({field.data(), field.size()},
                              {name.data(), name.size()}))
      return value;
  return {};
}

Async<std::string> ReadBody(HttpExchange& exchange, std::size_t limit) {
  const auto announced = exchange.request().content_length;
  if (announced && *announced > limit)
    co_return ResourceExhausted("the request has ", *announced,
                                " bytes: expected at most ", limit);
  std::string body;
  std::vector<char> buffer(64 << 10);
  for (;;) {
    Expected<std::size_t> count = co_await exchange.ReadSome(buffer);
    if (!count) co_return std::unexpected(std::move(count).error());
    if (*count == 0) co_return body;
    if (body.size() + *count > limit)
      co_return ResourceExhausted("the request has more than ", limit,
                                  " bytes");
    body.append(buffer.data(), *count);
  }
}

}  // namespace assay::gateway
