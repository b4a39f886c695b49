#ifndef ASSAY_PROTO_BASE_TLS_FINDING_H_
#define ASSAY_PROTO_BASE_TLS_FINDING_H_

#include <string>

namespace assay {

// What a client finds that tries TLS somewhere.
struct TlsFinding {
  enum class Kind {
    // Nobody answers, or not in time: TLS is not what is wrong.
    kNoAnswer,
    // Somebody answers who speaks no TLS.
    kPlainText,
    // A certificate that this machine trusts, for the name that was asked for.
    kGood,
    kBad,
  };
  Kind kind = Kind::kNoAnswer;
  // Of kPlainText and kBad: one line that says what was found and what to do.
  std::string problem;
};

// Connects to "host:port" and leaves again after the handshake. What libraries
// say of a failed one names numbers; this is asked afterwards, to name the
// cause. `ca_file` holds what is trusted (PEM); empty: what the system does.
//
// Blocks for as long as `seconds`. Takes no proxy.
TlsFinding LookAtTls(const std::string& address, const std::string& ca_file,
                     int seconds = 5);

}  // namespace assay

#endif  // ASSAY_PROTO_BASE_TLS_FINDING_H_
