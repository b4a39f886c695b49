#ifndef ASSAY_SANDBOX_CELL_UNIQUE_FD_H_
#define ASSAY_SANDBOX_CELL_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace assay::sandbox {

// Owns a file descriptor and closes it. Empty is -1.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  // Gives the descriptor away: the caller closes it.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_UNIQUE_FD_H_
