// Whatever OpenAPI document comes in, the suite that comes out compiles.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "runner/suite/format.h"
#include "runner/suite/skeleton.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)assay::suite::FormatSuite(text);
  const auto skeleton = assay::suite::SuiteFromOpenApi(text);
  if (!skeleton) return 0;
  const auto compiled = assay::suite::Compile(skeleton->files);
  if (!compiled) {
    std::fputs(assay::suite::ToText(compiled.error()).c_str(), stderr);
    std::fputs(skeleton->files.at("assay.yaml").c_str(), stderr);
    std::abort();
  }
  return 0;
}
