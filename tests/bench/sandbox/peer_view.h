#ifndef ASSAY_TESTS_BENCH_SANDBOX_PEER_VIEW_H_
#define ASSAY_TESTS_BENCH_SANDBOX_PEER_VIEW_H_

#include <string>
#include <string_view>
#include <vector>

namespace assay::bench {

// What a command sees in a cell, laid out for other sandboxes: a folder with
// the links, mount points and /etc of a cell's root. A cell puts its /etc
// together each time; peers get theirs finished, as one folder.
//
// The folder is removed by the destructor.
class PeerView {
 public:
  // `sandbox`: the path of assay-sandbox, which shows what a cell's /etc is.
  explicit PeerView(const std::string& sandbox);
  PeerView(const PeerView&) = delete;
  PeerView& operator=(const PeerView&) = delete;
  ~PeerView();

  const std::string& folder() const { return folder_; }
  std::string root() const { return folder_ + "/rootfs"; }

  // Debian's bubblewrap with this view. It sets no limits and no filter, and
  // counts nothing.
  std::vector<std::string> Bubblewrap(std::string command) const;
  // A configuration for crun, with the limits of the bench's cells too.
  std::string CrunConfig(std::string_view command) const;

 private:
  std::string folder_;
};

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_SANDBOX_PEER_VIEW_H_
