#include <filesystem>
#include <sstream>

#include "tests/sandbox/image/layout_builder.h"
#include "tests/sandbox/main/assay_sandbox_test.h"

namespace assay::sandbox {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class ImageTest : public AssaySandboxTest {
 protected:
  // An image of busybox, with `more` above it.
  void MakeImage(const TarText& more) const {
    LayoutBuilder layout(directory_.path() + "/layout");
    layout.Add(
        {.layers = {TarText()
                        .File("bin/busybox", ReadFile("/bin/busybox"), 0755)
                        .Symlink("bin/sh", "busybox")
                        .File("etc/motd", "from the image\n")
                        .Bytes(),
                    more.Bytes()},
         .tag = "one",
         .environment = {"PATH=/bin", "LANGUAGE=xx", "HOME=/home"},
         .compression = Compression::kGzip});
  }
  Finished InImage(const std::string& options, const std::string& script) {
    return Call("run --cache cache --root oci:layout:one " + options +
                " -- sh -c '" + script + "'");
  }
};
ASSAY_SANDBOX_SUITE(ImageTest);

TEST_P(ImageTest, IsTheRootOfTheCommand) {
  MakeImage(TarText().File("etc/.wh.nothing", ""));
  const Finished ran = InImage(
      "--env HOME=/mine",
      "busybox cat /etc/motd; busybox ls /; echo $PATH $LANGUAGE $HOME; echo "
      "x > /etc/motd; busybox cat /etc/motd");
  EXPECT_EQ(ran.out,
            "from the image\nbin\ndev\netc\nproc\ntmp\n/bin xx /mine\nx\n")
      << ran.err;
  EXPECT_EQ(InImage("", "busybox cat /etc/motd").out, "from the image\n");
}

TEST_P(ImageTest, IsUnpackedOnce) {
  MakeImage(TarText());
  EXPECT_EQ(InImage("", "echo 1").out, "1\n");
  // Only the index is read from now on.
  std::filesystem::remove_all(directory_.path() + "/layout/blobs");
  EXPECT_EQ(InImage("", "echo 2").out, "2\n");
  int entries = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_.path() + "/cache")) {
    EXPECT_TRUE(entry.is_directory()) << entry.path();
    ++entries;
  }
  EXPECT_EQ(entries, 1);
}

TEST_P(ImageTest, WhatIsWrittenCountsAgainstTheDiskLimits) {
  MakeImage(TarText());
  EXPECT_THAT(
      InImage("--disk 1MiB", "busybox dd if=/dev/zero of=/f bs=64k count=32")
          .err,
      HasSubstr("No space left"));
  EXPECT_THAT(InImage("--inodes 50",
                      "i=0; while echo > /f$i; do i=$((i+1)); done; echo")
                  .err,
              HasSubstr("No space left"));
  const Finished used =
      InImage("--json -", "busybox head -c 3000000 /dev/zero > /f");
  const json result = json::parse(used.out, nullptr, false);
  EXPECT_GE(result.value("disk_used_bytes", 0), 3'000'000) << used.err;
}

// As if a layer had taken over what unpacks it.
TEST_P(ImageTest, UnpackerCannotPassALinkOffAsTheRoot) {
  MakeImage(TarText());
  const std::string program = directory_.path() + "/assay-image";
  std::filesystem::remove(program);
  directory_.Write("assay-image",
                   "#!/bin/sh\nln -s / $5/root && : > $5/environment\n", 0755);
  const Finished refused = InImage("", "busybox ls /; ls /");
  EXPECT_EQ(refused.status, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("not unpacked to a directory"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/cache"));
}

// A disk for the cache alone, of the machine's memory: so small that the image
// fills it, then so full that nothing can be begun, then large enough.
TEST_P(ImageTest, FullDiskIsNamedLeavesNothingAndIsGotOver) {
  MakeImage(TarText().File("big", std::string(6 << 20, 'x')));
  const std::string run =
      AsStarter("run --cache cache --root oci:layout:one -- sh -c 'echo ran'");
  const std::string inner =
      "mount -t tmpfs -o size=4m,mode=0700,uid=" +
      std::to_string(root() ? 0 : kTestUid) + " none cache\n" + run +
      "; echo $? $(ls -A cache | wc -l) $(df --output=used cache | tail -1)\n"
      "head -c 5m /dev/zero > cache/other\n" +
      run +
      "; echo $? $(ls -A cache)\n"
      "rm cache/other; mount -o remount,size=32m cache\n" +
      run + "; echo $? $(ls -A cache | wc -l)\n";
  directory_.Write("fill.sh", inner);
  std::filesystem::create_directory(directory_.path() + "/cache");
  const Finished ran = Shell("unshare -m --propagation private sh fill.sh");
  if (root() && ran.err.find("map the owner of") != std::string::npos) {
    GTEST_SKIP() << "Linux maps owners of tmpfs since 6.3";
  }
  EXPECT_EQ(ran.out, "125 0 0\n125 other\nran\n0 1\n") << ran.err;
  std::vector<std::string> told;
  std::istringstream lines(ran.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("assay-sandbox: ")) told.push_back(line);
  }
  ASSERT_EQ(told.size(), 2u) << ran.err;
  EXPECT_THAT(told[0], AllOf(HasSubstr("image "), HasSubstr("'big'"),
                             HasSubstr("No space left")));
  EXPECT_THAT(told[1], HasSubstr("No space left"));
}

TEST_P(ImageTest, HostileOneIsRefusedAndLeavesNothing) {
  const std::string outside = directory_.Write("outside", "untouched");
  MakeImage(TarText().Symlink("up", directory_.path()).File("up/outside", "x"));
  const Finished refused = InImage("", "echo ran");
  EXPECT_EQ(refused.status, 125);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("'up/outside' leads out of the image"));
  EXPECT_EQ(ReadFile(outside), "untouched");
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/cache"));
}

}  // namespace
}  // namespace assay::sandbox
