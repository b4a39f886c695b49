#include "sandbox/launcher/cgroup_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

namespace {

// Whether directories of ours are removed before they are locked, each once, as
// by another launcher that starts in this moment.
bool removes_before_locking = false;
std::set<std::filesystem::path> removed;

}  // namespace

// In place of the C library's, which makes the same call.
extern "C" int flock(int fd, int operation) {
  const auto path =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
  const bool ours = path.filename() == "assay-" + std::to_string(::getpid());
  if (removes_before_locking && ours && removed.insert(path).second)
    EXPECT_EQ(::rmdir(path.c_str()), 0) << path;
  return static_cast<int>(::syscall(SYS_flock, fd, operation));
}

namespace assay::sandbox {
namespace {

// Whether a cell's directory can be made in every one that the tree has.
bool HasItsDirectories(const CgroupTree& tree) {
  std::vector<int> bases;
  if (tree.unified() >= 0) bases.push_back(tree.unified());
  for (const auto controller :
       {Controller::kMemory, Controller::kPids, Controller::kCpu})
    if (tree.Legacy(controller) >= 0) bases.push_back(tree.Legacy(controller));
  for (const int base : bases) {
    if (::mkdirat(base, "c", 0755) != 0) return false;
    if (::unlinkat(base, "c", AT_REMOVEDIR) != 0) return false;
  }
  return !bases.empty();
}

// Each start removes what dead launchers left, which nobody has locked; one
// that is so new that it is not locked yet looks the same.
TEST(CgroupTreeTest, ADirectoryThatIsTakenForALeftOneIsMadeAgain) {
  if (!HasItsDirectories(CgroupTree::Probe({})))
    GTEST_SKIP() << "no cgroup can be written here";
  removes_before_locking = true;
  const CgroupTree tree = CgroupTree::Probe({});
  removes_before_locking = false;
  EXPECT_FALSE(removed.empty()) << "nothing was locked";
  EXPECT_TRUE(HasItsDirectories(tree));
}

// As where two process namespaces share a cgroup.
TEST(CgroupTreeTest, TwoOfOneNameDoNotShare) {
  const CgroupTree one = CgroupTree::Probe({});
  const CgroupTree other = CgroupTree::Probe({});
  if (!HasItsDirectories(one)) GTEST_SKIP() << "no cgroup can be written here";
  ASSERT_TRUE(HasItsDirectories(other));
  const int base =
      one.unified() >= 0 ? one.unified() : one.Legacy(Controller::kPids);
  const int beside =
      other.unified() >= 0 ? other.unified() : other.Legacy(Controller::kPids);
  struct stat a = {};
  struct stat b = {};
  ASSERT_EQ(::fstat(base, &a), 0);
  ASSERT_EQ(::fstat(beside, &b), 0);
  EXPECT_NE(a.st_ino, b.st_ino);
  EXPECT_TRUE(other.Remove());
  EXPECT_TRUE(HasItsDirectories(one));
}

}  // namespace
}  // namespace assay::sandbox
