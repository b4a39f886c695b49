#include "services/coordinator/addresses.h"

#include <boost/asio/ip/host_name.hpp>

namespace assay::coordinator {
std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

std::string UrlOf(const Options& options, int port) {
  const char* scheme = options.tls.given() ? "https://" : "http://";
  return scheme + HostOf(options.web_address) + ":" + std::to_string(port);
}

std::string AdvertisedAddress(const Options& options,
                              const std::string& address, int port) {
  std::string host =
      options.advertise.empty() ? HostOf(address) : options.advertise;
  if (host == "0.0.0.0" || host == "[::]" || host == "*")
    host = boost::asio::ip::host_name();
  return host + ":" + std::to_string(port);
}

}  // namespace assay::coordinator
