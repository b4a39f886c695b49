#include "sandbox/cell/blueprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SessionSpec FullSpec() {
  SessionSpec spec;
  spec.volumes = {{.bytes = 1 << 20, .inodes = 50}};
  CellSpec cell;
  cell.name = "service:api";
  cell.root = DirectoryRoot{"/srv/root"};
  cell.mounts = {VolumeMount{.volume = 0, .target = "/work"},
                 BindMount{.source = {.path = "/srv/x"}, .target = "/x"},
                 OverlayMount{.lower = {.fd = 17}, .target = "/data"},
                 TmpfsMount{.target = "/t"}};
  cell.limits.cores = 1.5;
  cell.processes = {{.name = "unpack", .unpack = UnpackAction{23, "/work"}},
                    {.name = "run",
                     .arguments = {"make", "-j2"},
                     .environment = {"A=b"},
                     .stdin_kind = Stdin::kPipe,
                     .wall_limit = std::chrono::seconds(3)}};
  spec.cells = {cell};
  return spec;
}

TEST(BlueprintTest, SpecSurvivesTheWayAndDescriptorsBecomePositions) {
  const auto encoded = EncodeSession(FullSpec());
  ASSERT_TRUE(encoded) << encoded.error();
  EXPECT_THAT(encoded->fds, ElementsAre(17, 23));

  const auto decoded = DecodeSession(encoded->bytes, 2);
  ASSERT_TRUE(decoded) << decoded.error();
  const CellSpec& cell = decoded->cells.at(0);
  EXPECT_EQ(cell.name, "service:api");
  EXPECT_EQ(std::get<DirectoryRoot>(cell.root).path, "/srv/root");
  EXPECT_EQ(std::get<BindMount>(cell.mounts.at(1)).source.path, "/srv/x");
  EXPECT_EQ(std::get<OverlayMount>(cell.mounts.at(2)).lower.fd, 0);
  EXPECT_EQ(cell.processes.at(0).unpack->archive_fd, 1);
  EXPECT_EQ(cell.limits.cores, 1.5);
  EXPECT_THAT(cell.processes.at(1).arguments, ElementsAre("make", "-j2"));
  EXPECT_EQ(cell.processes.at(1).stdin_kind, Stdin::kPipe);
  EXPECT_EQ(cell.processes.at(1).wall_limit, std::chrono::seconds(3));
}

TEST(BlueprintTest, EveryPrefixIsRefused) {
  const auto encoded = EncodeSession(FullSpec());
  ASSERT_TRUE(encoded) << encoded.error();
  for (std::size_t size = 0; size < encoded->bytes.size(); ++size) {
    EXPECT_FALSE(DecodeSession(encoded->bytes.substr(0, size), 2)) << size;
  }
  EXPECT_FALSE(DecodeSession(encoded->bytes + '\0', 2));
}

TEST(BlueprintTest, PositionOfADescriptorThatDidNotComeIsRefused) {
  const auto encoded = EncodeSession(FullSpec());
  ASSERT_TRUE(encoded) << encoded.error();
  EXPECT_FALSE(DecodeSession(encoded->bytes, 1));
}

TEST(BlueprintTest, HugeCountAllocatesNothing) {
  EXPECT_FALSE(DecodeSession(std::string(16, '\xff'), 0));
}

struct Mistake {
  const char* name;
  void (*make)(CellSpec&);
  const char* message;
};

class SpecMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(SpecMistakeTest, IsRefusedWithWhatWasExpected) {
  SessionSpec spec = FullSpec();
  GetParam().make(spec.cells[0]);
  const auto status = CheckSession(spec);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kInvalidArgument);
  EXPECT_THAT(status.error().message, HasSubstr("service:api"));
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, SpecMistakeTest,
    testing::Values(
        Mistake{"Volume",
                [](CellSpec& c) { c.mounts = {VolumeMount{.volume = 1}}; },
                "volume 1"},
        Mistake{"RelativeTarget",
                [](CellSpec& c) { c.mounts = {TmpfsMount{.target = "t"}}; },
                "absolute path"},
        Mistake{"RootTarget",
                [](CellSpec& c) { c.mounts = {TmpfsMount{.target = "/"}}; },
                "absolute path"},
        Mistake{
            "DotDot",
            [](CellSpec& c) { c.mounts = {TmpfsMount{.target = "/a/../b"}}; },
            "without '.', '..'"},
        Mistake{"NoProgram",
                [](CellSpec& c) { c.processes[1].arguments.clear(); },
                "has no program"},
        Mistake{"Environment",
                [](CellSpec& c) { c.processes[1].environment = {"A"}; },
                "NAME=VALUE"},
        Mistake{"NoArchive",
                [](CellSpec& c) { c.processes[0].unpack->archive_fd = -1; },
                "has no archive"},
        Mistake{"NegativeTime",
                [](CellSpec& c) {
                  c.processes[1].wall_limit = std::chrono::seconds(-1);
                },
                "negative"},
        Mistake{"TimeBeyondTheClock",
                [](CellSpec& c) {
                  c.processes[1].cpu_limit = std::chrono::nanoseconds::max();
                },
                "hundred years"},
        Mistake{"NegativeMemory",
                [](CellSpec& c) { c.limits.memory_bytes = -1; },
                "memory limit is -1"},
        Mistake{"Nul",
                [](CellSpec& c) {
                  c.processes[1].arguments[0] = std::string("a\0b", 3);
                },
                "NUL"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace assay::sandbox
