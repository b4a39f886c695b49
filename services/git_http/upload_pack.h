#ifndef ASSAY_SERVICES_GIT_HTTP_UPLOAD_PACK_H_
#define ASSAY_SERVICES_GIT_HTTP_UPLOAD_PACK_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <string>

#include "services/gateway/http_exchange.h"

namespace assay::git_http {

// The value of the Git-Protocol header if it is one that git may see:
// "version=2". Empty for anything else.
std::string CheckedProtocol(std::string_view header);

// Answers `info/refs?service=git-{service}` with what git advertises.
// `service` is "upload-pack" or "receive-pack".
boost::asio::awaitable<void> AdvertiseRefs(boost::asio::any_io_executor strand,
                                           gateway::HttpExchange& exchange,
                                           std::filesystem::path repository,
                                           std::string service);

// Answers a `git-upload-pack` request. `spool_directory` takes the body while
// it is read.
boost::asio::awaitable<void> UploadPack(boost::asio::any_io_executor strand,
                                        gateway::HttpExchange& exchange,
                                        std::filesystem::path repository,
                                        std::filesystem::path spool_directory);

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_UPLOAD_PACK_H_
