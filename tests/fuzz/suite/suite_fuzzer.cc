// The loader reads what authors upload: any bytes give a plan or diagnostics.
// What follows a line "---proto" is a `.proto` file beside the suite.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/suite/compiler.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::string_view kProto = "\n---proto\n";
  std::string text(reinterpret_cast<const char*>(data), size);
  std::string proto;
  if (const std::size_t at = text.find(kProto); at != std::string::npos) {
    proto = text.substr(at + kProto.size());
    text.resize(at + 1);
  }
  const auto compiled = assay::suite::Compile({{"assay.yaml", text},
                                               {"a.json", "{}"},
                                               {"b.yaml", text},
                                               {"a.proto", proto}});
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
