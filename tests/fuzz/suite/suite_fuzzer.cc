// The loader reads what authors upload: any bytes give a plan or diagnostics.

#include <cstdint>
#include <cstdlib>

#include "runner/suite/compiler.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto compiled = assay::suite::Compile(
      {{"assay.yaml", text}, {"a.json", "{}"}, {"b.yaml", text}});
  if (compiled) {
    // What compiles can be cut down, and survives its own serialisation.
    assay::plan::v1::Plan again;
    if (!again.ParseFromString(assay::suite::SerializePlan(compiled->plan))) {
      std::abort();
    }
    assay::suite::CandidatePlan(again);
  } else if (compiled.error().empty() ||
             compiled.error().size() > 3 * assay::suite::kMaxDiagnostics) {
    std::abort();
  }
  return 0;
}
