#ifndef ASSAY_SERVICES_COORDINATOR_ADDRESSES_H_
#define ASSAY_SERVICES_COORDINATOR_ADDRESSES_H_

#include <string>

#include "services/coordinator/options.h"

namespace assay::coordinator {

// "127.0.0.1" of "127.0.0.1:7080".
std::string HostOf(const std::string& address);

// "http://127.0.0.1:7080", from the web address that is listened on.
std::string UrlOf(const Options& options, int port);

// Where other nodes reach `port` of this one, which listens on `address`.
std::string AdvertisedAddress(const Options& options,
                              const std::string& address, int port);

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_ADDRESSES_H_
