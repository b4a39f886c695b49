#include "services/runs/placement.h"

#include <gmock/gmock.h>

namespace assay::runs {
namespace {

using storage::Needs;
using storage::QueueHead;
using ::testing::HasSubstr;

constexpr std::int64_t kGib = std::int64_t{1} << 30;

QueueHead Head(const std::string& run, const Needs& needs) {
  return {.run = RunId(run), .needs = storage::FormatNeeds(needs)};
}

// A worker of so many processors, of which some are taken.
Room Worker(const std::string& name, int cores, int used = 0) {
  return {.worker = WorkerId(name),
          .offer = {.milli_cpus = cores * 1'000, .memory_bytes = 8 * kGib},
          .free_milli_cpus = (cores - used) * 1'000,
          .free_memory_bytes = 8 * kGib,
          .places = 100,
          .busy = used};
}

std::string Placed(const std::vector<QueueHead>& heads,
                   std::vector<Room> rooms) {
  const auto choice = Place(heads, std::move(rooms));
  return choice ? choice->run.str() + " on " + choice->worker.str() : "nothing";
}

TEST(PlacementTest, GoesToTheEmptiestThatHasRoom) {
  const std::vector<QueueHead> heads = {Head("r", {.milli_cpus = 2'000})};
  EXPECT_EQ(Placed(heads, {Worker("a", 4, 2), Worker("b", 4)}), "r on b");
  EXPECT_EQ(Placed(heads, {Worker("a", 4, 2), Worker("b", 4, 3)}), "r on a");
}

TEST(PlacementTest, EquallyEmptyOnesTakeTurns) {
  const std::vector<QueueHead> heads = {Head("r", {})};
  Room a = Worker("a", 4);
  Room b = Worker("b", 4);
  a.last_turn = 2;
  b.last_turn = 1;
  EXPECT_EQ(Placed(heads, {a, b}), "r on b");
  b.last_turn = 3;
  EXPECT_EQ(Placed(heads, {a, b}), "r on a");
}

TEST(PlacementTest, NothingIsOvercommitted) {
  EXPECT_EQ(Placed({Head("r", {.milli_cpus = 2'000})}, {Worker("a", 4, 3)}),
            "nothing");
  EXPECT_EQ(Placed({Head("r", {.memory_bytes = 9 * kGib})}, {Worker("a", 4)}),
            "nothing");
  Room full = Worker("a", 4);
  full.places = 0;
  EXPECT_EQ(Placed({Head("r", {})}, {full}), "nothing");
}

TEST(PlacementTest, ALargeRunIsNotStarvedBySmallOnes) {
  const std::vector<QueueHead> heads = {Head("large", {.milli_cpus = 4'000}),
                                        Head("small", {.milli_cpus = 1'000})};
  // What it waits for is not given away, though the small one would fit.
  EXPECT_EQ(Placed(heads, {Worker("a", 4, 1)}), "nothing");
  // Elsewhere there is room for the small one meanwhile.
  EXPECT_EQ(Placed(heads, {Worker("a", 4, 1), Worker("b", 2)}), "small on b");
  // Of two that it fits, the one that is nearer to being free waits for it.
  EXPECT_EQ(Placed(heads, {Worker("a", 4, 3), Worker("b", 4, 1)}),
            "small on a");
  EXPECT_EQ(Placed(heads, {Worker("a", 4)}), "large on a");
}

TEST(PlacementTest, ARunThatFitsNobodyHoldsNobodyUp) {
  EXPECT_EQ(Placed({Head("huge", {.milli_cpus = 64'000}),
                    Head("gpu", {.pool = "gpu"}), Head("small", {})},
                   {Worker("a", 4, 1)}),
            "small on a");
}

TEST(PlacementTest, ARunComesBackToWhoFailedItOnlyWithoutAnother) {
  const std::vector<QueueHead> heads = {Head("r", {}), Head("s", {})};
  Room sick = Worker("sick", 4);
  sick.failed = {RunId("r")};
  Room other = Worker("other", 4, 3);
  EXPECT_EQ(Placed(heads, {sick, other}), "r on other");
  // It waits for the one that is full, and others do not.
  other.places = 0;
  EXPECT_EQ(Placed(heads, {sick, other}), "s on sick");
  EXPECT_EQ(Placed({heads[0]}, {sick, other}), "nothing");
  other.failed = {RunId("r")};
  EXPECT_EQ(Placed(heads, {sick, other}), "r on sick");
  other.failed.clear();
  other.offer.pool = "gpu";
  EXPECT_EQ(Placed(heads, {sick, other}), "r on sick");
  EXPECT_EQ(Placed(heads, {sick}), "r on sick");
}

TEST(PlacementTest, PoolsAreApartAndLabelsAreAskedFor) {
  Room gpu = Worker("g", 4);
  gpu.offer.pool = "gpu";
  Room arm = Worker("arm", 4);
  arm.offer.labels = {{"arch", "arm64"}, {"disk", "ssd"}};
  EXPECT_EQ(Placed({Head("r", {})}, {gpu}), "nothing");
  EXPECT_EQ(Placed({Head("r", {.pool = "gpu"})}, {arm, gpu}), "r on g");
  EXPECT_EQ(Placed({Head("r", {.labels = {{"arch", "arm64"}}})}, {gpu, arm}),
            "r on arm");
  EXPECT_EQ(Placed({Head("r", {.labels = {{"arch", "x86"}}})}, {arm}),
            "nothing");
  EXPECT_EQ(Placed({Head("r", {})}, {arm}), "r on arm");
}

TEST(PlacementTest, SaysWhyNobodyCanTakeARun) {
  const Needs large{.milli_cpus = 8'000, .memory_bytes = kGib};
  const Needs worker{.milli_cpus = 4'000, .memory_bytes = 8 * kGib};
  EXPECT_EQ(Misfit({.milli_cpus = 4'000}, std::vector{worker}), "");
  EXPECT_THAT(Misfit({}, {}), HasSubstr("no worker gets runs"));
  EXPECT_THAT(Misfit(large, std::vector{worker}),
              ::testing::AllOf(HasSubstr("it needs 8 processors"),
                               HasSubstr("offers 4 processors, 8 GiB")));
  EXPECT_THAT(Misfit({.pool = "gpu", .labels = {{"arch", "arm64"}}},
                     std::vector{worker}),
              HasSubstr("no worker offers pool gpu, arch=arm64"));
  EXPECT_THAT(Misfit({}, std::vector<Needs>{{.pool = "gpu"}}),
              HasSubstr("this assignment names none"));
}

TEST(PlacementTest, ARunNeedsWhatItsCellsMayUseTogether) {
  plan::v1::Plan plan;
  plan.mutable_limits()->set_cpus(1.5);
  plan.mutable_limits()->set_memory_bytes(kGib);
  EXPECT_EQ(NeedsOf(plan), (Needs{.milli_cpus = 1'500, .memory_bytes = kGib}));
  plan.add_services();
  plan.add_services();
  plan.add_sidecars()->set_kind(plan::v1::Sidecar::KIND_POSTGRES);
  plan.add_sidecars()->set_kind(plan::v1::Sidecar::KIND_REDIS);
  EXPECT_EQ(NeedsOf(plan).memory_bytes, 3 * kGib + kGib / 4);
}

}  // namespace
}  // namespace assay::runs
