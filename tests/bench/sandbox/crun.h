#ifndef ASSAY_TESTS_BENCH_SANDBOX_CRUN_H_
#define ASSAY_TESTS_BENCH_SANDBOX_CRUN_H_

#include <string>

#include "sandbox/cell/unique_fd.h"
#include "tests/bench/sandbox/peer_view.h"

namespace assay::bench {

// Debian's crun with a bundle that gives /bin/true the view and limits of a
// cell. It refuses hybrid cgroups, so it runs below a helper whose mount
// namespace hides the v2 tree.
class Crun {
 public:
  // `view` must outlive it.
  explicit Crun(const PeerView& view);
  Crun(const Crun&) = delete;
  Crun& operator=(const Crun&) = delete;
  ~Crun();

  bool Run();

 private:
  [[noreturn]] void Serve(int orders, int answers) const;

  std::string folder_;
  sandbox::UniqueFd orders_;
  sandbox::UniqueFd answers_;
};

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_SANDBOX_CRUN_H_
