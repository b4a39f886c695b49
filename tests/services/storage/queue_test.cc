// Whose turn it is, on every kind of store.
#include <gmock/gmock.h>

#include <random>

#include "services/storage/tables/needs.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

class QueueTest : public StoreConformanceTest {
 protected:
  RunId Queue(const std::string& assignment, v1::Run::Kind kind,
              const std::string& needs = "", const std::string& attempt = "",
              int at_once = 0) {
    RunRecord run = NewRun(kind);
    run.assignment = AssignmentId(assignment);
    run.needs = needs;
    run.attempt = AttemptId(attempt.empty() ? run.id.str() : attempt);
    run.at_once = at_once;
    EXPECT_THAT(Write([run](Transaction& tx) { return tx.runs.Enqueue(run); }),
                IsOk());
    return run.id;
  }
  std::vector<QueueHead> Heads() {
    return Read([](Transaction& tx) { return tx.queue.ListHeads(); }).value();
  }
  std::vector<RunId> Order() {
    std::vector<RunId> order;
    const auto listed =
        Read([](Transaction& tx) { return tx.queue.List(100); });
    for (const QueuedRun& run : *listed) order.push_back(run.run);
    return order;
  }
  int Position(const RunId& run) {
    return Read([run = Get(run)](Transaction& tx) {
             return tx.queue.Position(run);
           })
        .value();
  }
};

TEST_P(QueueTest, EachNeedOfAnAssignmentIsALaneWithAHead) {
  const RunId small = Queue("orders", v1::Run::KIND_PUSH, "cpus=1000");
  Queue("orders", v1::Run::KIND_PUSH, "cpus=1000");
  const RunId large = Queue("orders", v1::Run::KIND_PUSH, "cpus=8000");
  const RunId other = Queue("billing", v1::Run::KIND_FINAL);
  const auto heads = Heads();
  ASSERT_EQ(heads.size(), 3);
  EXPECT_EQ(heads[0].run, other);
  EXPECT_EQ(heads[0].needs, "");
  EXPECT_EQ(heads[1].run, small);
  EXPECT_EQ(heads[1].needs, "cpus=1000");
  EXPECT_EQ(heads[1].assignment, AssignmentId("orders"));
  EXPECT_EQ(heads[2].run, large);
  EXPECT_EQ(Get(large).needs, "cpus=8000");
}

TEST_P(QueueTest, AnAttemptHasNoMoreRunsUnderWayThanItMay) {
  Queue("orders", v1::Run::KIND_PUSH, "", "att_1", 1);
  ASSERT_TRUE(Take("w1"));
  const RunId waiting = Queue("orders", v1::Run::KIND_PUSH, "", "att_1", 1);
  EXPECT_THAT(Heads(), IsEmpty());
  const RunId other = Queue("orders", v1::Run::KIND_PUSH, "", "att_2", 1);
  ASSERT_EQ(Heads().size(), 1);
  EXPECT_EQ(Heads().front().run, other);
  // With a lane beside it, the same.
  Queue("billing", v1::Run::KIND_PUSH);
  EXPECT_EQ(Heads().size(), 2);
  EXPECT_EQ(Heads()[1].run, other);
  // A final run does not wait for practice.
  const RunId final_run = Queue("orders", v1::Run::KIND_FINAL, "", "att_1", 0);
  EXPECT_EQ(Heads().front().run, final_run);
  EXPECT_EQ(Get(waiting).state, v1::Run::STATE_QUEUED);
}

TEST_P(QueueTest, PositionSaysTheOrderInWhichRunsAreTaken) {
  // Many from one assignment, then one of another: it does not wait for all.
  std::vector<RunId> orders;
  for (int i = 0; i < 4; ++i)
    orders.push_back(Queue("orders", v1::Run::KIND_PUSH));
  const RunId late = Queue("billing", v1::Run::KIND_PUSH);
  EXPECT_THAT(Order(),
              ElementsAre(orders[0], late, orders[1], orders[2], orders[3]));
  EXPECT_EQ(Position(late), 1);
  EXPECT_EQ(Position(orders[1]), 2);
  EXPECT_EQ(Position(orders[3]), 4);
  // The one under way gives its assignment's turn to the other.
  ASSERT_EQ(Take("w1")->id, orders[0]);
  EXPECT_EQ(Position(late), 0);
}

// The count, the list and what is really taken tell the same, whatever waits.
TEST_P(QueueTest, PositionListAndLeasesAgree) {
  std::mt19937 random(20260801);
  const char* const kAssignments[] = {"a", "b", "billing", "billing-2"};
  const char* const kNeeds[] = {"", "cpus=1000", "cpus=2000 pool=gpu"};
  const v1::Run::Kind kKinds[] = {v1::Run::KIND_FINAL, v1::Run::KIND_PUSH,
                                  v1::Run::KIND_REGRADE};
  std::vector<RunId> queued;
  for (int i = 0; i < 40; ++i)
    queued.push_back(Queue(kAssignments[random() % 4], kKinds[random() % 3],
                           kNeeds[random() % 3]));
  // Some are under way already.
  for (int i = 0; i < 5; ++i)
    std::erase(queued, Take("w" + std::to_string(i))->id);
  const std::vector<RunId> order = Order();
  ASSERT_EQ(order.size(), queued.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    EXPECT_EQ(Position(order[i]), static_cast<int>(i));
  for (const RunId& next : order) EXPECT_EQ(Take("w")->id, next);
}

TEST(NeedsTest, TextsComeBackAsTheyWere) {
  const Needs needs{.milli_cpus = 1'500,
                    .memory_bytes = std::int64_t{3} << 29,
                    .pool = "gpu",
                    .labels = {{"arch", "arm64"}, {"disk", "nvme-2.0"}}};
  EXPECT_EQ(FormatNeeds(needs),
            "cpus=1500 memory=1610612736 pool=gpu label:arch=arm64 "
            "label:disk=nvme-2.0");
  EXPECT_EQ(ParseNeeds(FormatNeeds(needs)), needs);
  EXPECT_EQ(ParseNeeds(""), Needs());
  EXPECT_EQ(DescribeNeeds(needs),
            "1.5 processors, 1.5 GiB of memory, pool gpu, arch=arm64, "
            "disk=nvme-2.0");
  for (const char* wrong : {"cpus", "cpus=x", "cpus=-1", "size=2",
                            "pool=", "label:a", "label:=b", "pool=a/b"})
    EXPECT_THAT(ParseNeeds(wrong), FailsWith(Code::kInvalidArgument, wrong));
}

TEST(NeedsTest, LabelsAreHeldToTheirForm) {
  EXPECT_EQ(LabelProblem("gpu", {{"arch", "arm64"}}), "");
  EXPECT_THAT(LabelProblem("a b", {}), ::testing::HasSubstr("\"a b\""));
  EXPECT_THAT(LabelProblem("", {{"arch", ""}}), ::testing::HasSubstr("arch="));
  std::map<std::string, std::string> many;
  for (int i = 0; i < 17; ++i) many["k" + std::to_string(i)] = "v";
  EXPECT_THAT(LabelProblem("", many), ::testing::HasSubstr("17 labels"));
}

INSTANTIATE_TEST_SUITE_P(Stores, QueueTest, ::testing::ValuesIn(StoreKinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace assay::storage
