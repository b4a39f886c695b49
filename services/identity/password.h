#ifndef ASSAY_SERVICES_IDENTITY_PASSWORD_H_
#define ASSAY_SERVICES_IDENTITY_PASSWORD_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "proto/base/error.h"

namespace assay::identity {

// What one argon2id costs.
struct PasswordCost {
  unsigned long long operations = 2;
  std::size_t memory_bytes = 64 << 20;
};

// Checks that a new password is long enough, and short enough to hash.
Status CheckPassword(const std::string& password);
// 20 random characters, about 103 bits.
std::string MakePassword();

// Hashes passwords by argon2id on a thread of its own, one at a time: each
// takes the memory and the tenth of a second that it is meant to take, and the
// strand waits for neither.
//
// Threads: may be awaited on any executor and resumes on it.
// Errors: kResourceExhausted when too many wait already.
class PasswordHasher {
 public:
  // How many may wait, the one at work included.
  static constexpr int kMaxWaiting = 8;

  explicit PasswordHasher(PasswordCost cost = {});
  // Ends after the one at work.
  ~PasswordHasher();

  // The hash with its salt and cost, as libsodium writes it.
  boost::asio::awaitable<Expected<std::string>> Hash(std::string password);
  // Whether `hash` is of `password`. An empty hash is nobody's, and takes as
  // long to refuse as a wrong password.
  boost::asio::awaitable<Expected<bool>> Verify(std::string hash,
                                                std::string password);

 private:
  class Worker;
  const PasswordCost cost_;
  // Of a password that nobody has.
  const std::string nobody_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace assay::identity

#endif  // ASSAY_SERVICES_IDENTITY_PASSWORD_H_
