#include "sandbox/policy/filter.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace assay::sandbox {
namespace {

constexpr sock_filter kInstructions[] = {
#include "sandbox/policy/filter_table.inc"
};

}  // namespace

std::span<const sock_filter> CellFilter() { return kInstructions; }

bool InstallCellFilter() {
  const sock_fprog program = {
      .len = static_cast<unsigned short>(std::size(kInstructions)),
      .filter = const_cast<sock_filter*>(kInstructions)};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

}  // namespace assay::sandbox
