// Whatever the decoder accepts must come out of the encoder as it went in.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sandbox/cell/blueprint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace assay::sandbox;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto spec = DecodeSession(bytes, 4);
  if (!spec) return 0;
  const auto encoded = EncodeSession(*spec);
  if (!encoded ||
      !DecodeSession(encoded->bytes, static_cast<int>(encoded->fds.size()))) {
    std::abort();
  }
  return 0;
}
