#ifndef ASSAY_SERVICES_STORAGE_BULLETIN_H_
#define ASSAY_SERVICES_STORAGE_BULLETIN_H_

#include <functional>
#include <string>
#include <vector>

#include "proto/base/clock.h"

namespace assay::storage {

// Carries notes between the programs that share a store, beside its
// transactions, and knows the store's clock. A note is a wake-up: it says where
// to look, may be lost, and is never all there is.
//
// Threads: any.
class Bulletin {
 public:
  virtual ~Bulletin() = default;

  // The store's clock, asked for once a second. Goes on by this machine's
  // monotonic clock in between, whatever somebody does to its time of day.
  virtual const Clock& clock() const = 0;

  // Tells the others within some milliseconds. Equal notes that come close
  // after each other are one. A note holds no space and at most 100 bytes.
  virtual void Post(std::string note) = 0;

  // What the others posted, in order; empty after a connection was made
  // anew, when notes may have been lost. Called on a thread of the store's
  // until the bulletin is gone, or Listen is called with nothing.
  using Heard = std::function<void(std::vector<std::string> notes)>;
  virtual void Listen(Heard heard) = 0;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BULLETIN_H_
