#include "tests/services/storage/s3_blobs.h"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace assay::storage {

bool HaveS3() {
  const char* wanted = std::getenv("ASSAY_STORE_TESTS");
  return wanted != nullptr && std::string_view(wanted) == "s3";
}

tests::S3Server& SharedS3() {
  static const std::unique_ptr<tests::S3Server> server = [] {
    auto started = tests::S3Server::Start();
    if (!started) throw std::runtime_error(started.error().message);
    return *std::move(started);
  }();
  return *server;
}

S3Settings SettingsFor(const tests::S3Server& server) {
  using std::chrono::milliseconds;
  return {.bucket = "blobs",
          .prefix = "",
          .endpoint = server.endpoint(),
          .region = "eu-test-1",
          .credentials = [] { return S3Credentials{"S3RVER", "S3RVER", ""}; },
          .ca_file = "",
          .limits = {.first_pause = milliseconds(10),
                     .longest_pause = milliseconds(40),
                     .connect_timeout = milliseconds(2'000),
                     .silence = milliseconds(1'000),
                     .patience = milliseconds(8'000),
                     .part_size = 65'536}};
}

S3Settings SharedS3Settings() { return SettingsFor(SharedS3()); }

}  // namespace assay::storage
