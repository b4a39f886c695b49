#ifndef ASSAY_SERVICES_IDENTITY_SIGN_IN_LIMIT_H_
#define ASSAY_SERVICES_IDENTITY_SIGN_IN_LIMIT_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"

namespace assay::identity {

// Slows down whoever tries passwords: a name from one address, a name from
// anywhere, and an address with any name may each fail so often in a quarter
// of an hour. An address cannot lock a name out for the others.
//
// Ownership: borrows `clock`. Threads: confined to the coordinator's strand.
class SignInLimit {
 public:
  static constexpr std::chrono::minutes kWindow{15};
  static constexpr std::size_t kPerNameAndAddress = 5;
  static constexpr std::size_t kPerName = 50;
  static constexpr std::size_t kPerAddress = 50;
  // Keys that are remembered; beyond that the oldest windows are forgotten.
  static constexpr std::size_t kMaxKeys = 20'000;

  explicit SignInLimit(const Clock& clock) : clock_(clock) {}

  // Counts a try as a failure until Succeeded takes it back, so that tries at
  // the same moment count too. kResourceExhausted: too many; the message says
  // for how long.
  Status Admit(const std::string& name, const std::string& address);
  void Succeeded(const std::string& name, const std::string& address);

 private:
  using Times = std::vector<Clock::TimePoint>;
  struct Key {
    std::string text;
    std::size_t most;
  };
  static std::vector<Key> KeysOf(const std::string& name,
                                 const std::string& address);
  void Forget(Clock::TimePoint now);

  const Clock& clock_;
  std::map<std::string, Times> failures_;
};

}  // namespace assay::identity

#endif  // ASSAY_SERVICES_IDENTITY_SIGN_IN_LIMIT_H_
