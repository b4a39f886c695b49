#ifndef ASSAY_SERVICES_GATEWAY_READ_BODY_H_
#define ASSAY_SERVICES_GATEWAY_READ_BODY_H_

#include <cstddef>
#include <string>

#include "services/gateway/http_exchange.h"

namespace assay::gateway {

// Reads a whole body into memory. kResourceExhausted beyond `limit` bytes.
Async<std::string> ReadBody(HttpExchange& exchange, std::size_t limit);

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_READ_BODY_H_
