// Coordinators that share a store: who is there, where repositories are, and
// that whoever comes second changes nothing.

#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Pair;

class NodesTest : public StoreConformanceTest {
 protected:
  NodeRecord Node(const std::string& name) {
    NodeRecord node;
    node.name = name;
    node.instance = "instance of " + name;
    node.version = "1";
    node.start_time = node.heartbeat = clock_.Now();
    return node;
  }
  Status Register(const NodeRecord& node) {
    return Write([node](Transaction& tx) { return tx.nodes.Register(node); });
  }
  Expected<NodeRecord> Beat(const NodeRecord& node) {
    return Write([node](Transaction& tx) { return tx.nodes.Beat(node); });
  }
  RepositoryRecord MakeRepository(const std::string& home) {
    RepositoryRecord record;
    record.id = RepositoryId("rep_1");
    record.attempt = AttemptId("att_1");
    record.template_commit = std::string(40, 'a');
    record.create_time = clock_.Now();
    record.home = home;
    EXPECT_THAT(Write([record](Transaction& tx) {
                  return tx.repositories.Create(record);
                }),
                IsOk());
    return GetRepository();
  }
  RepositoryRecord GetRepository() {
    return Read([](Transaction& tx) {
             return tx.repositories.Get(RepositoryId("rep_1"));
           })
        .value();
  }
  Status Move(const RepositoryRecord& seen, const std::string& to) {
    return Write(
        [seen, to](Transaction& tx) { return tx.repositories.Move(seen, to); });
  }
};

TEST_P(NodesTest, ANameIsOneDataDirectorys) {
  ASSERT_THAT(Register(Node("a")), IsOk());
  EXPECT_THAT(Register(Node("a")), IsOk());  // as at each start
  NodeRecord other = Node("a");
  other.instance = "another";
  EXPECT_THAT(Register(other), FailsWith(Code::kAlreadyExists, "--node"));
  EXPECT_THAT(Beat(other), FailsWith(Code::kNotFound, "node"));
}

TEST_P(NodesTest, AHeartbeatSaysWhereANodeIsAndAStartEndsItsDraining) {
  NodeRecord a = Node("a");
  ASSERT_THAT(Register(a), IsOk());
  a.grpc_address = "host:1";
  a.heartbeat += seconds(3);
  a.load.add_workers()->set_name("w");
  const auto beaten = Beat(a);
  ASSERT_THAT(beaten, IsOk());
  EXPECT_EQ(beaten->grpc_address, "host:1");
  EXPECT_EQ(beaten->heartbeat, a.heartbeat);
  EXPECT_EQ(beaten->load.workers(0).name(), "w");
  ASSERT_THAT(Write([](Transaction& tx) { return tx.nodes.Drain("a"); }),
              IsOk());
  EXPECT_TRUE(Beat(a)->draining);
  ASSERT_THAT(Register(a), IsOk());
  EXPECT_FALSE(Beat(a)->draining);
}

TEST_P(NodesTest, AForgottenNodeIsToldByItsNextHeartbeat) {
  ASSERT_THAT(Register(Node("a")), IsOk());
  const auto forget = [&] {
    return Write([](Transaction& tx) { return tx.nodes.Forget("a"); });
  };
  EXPECT_THAT(forget(), IsOk());
  EXPECT_THAT(forget(), FailsWith(Code::kNotFound, "no node"));
  EXPECT_THAT(Beat(Node("a")), FailsWith(Code::kNotFound, "no node"));
}

TEST_P(NodesTest, WhoeverMovesARepositorySecondChangesNothing) {
  const RepositoryRecord seen = MakeRepository("a");
  ASSERT_THAT(Move(seen, "b"), IsOk());
  EXPECT_THAT(Move(seen, "c"), FailsWith(Code::kAborted, "moved"));
  EXPECT_EQ(GetRepository().home, "b");
  EXPECT_EQ(GetRepository().generation, seen.generation + 1);
  const auto check = [&](const std::string& node) {
    return Read([node](Transaction& tx) {
      return tx.repositories.CheckHome(RepositoryId("rep_1"), node);
    });
  };
  EXPECT_THAT(check("b"), IsOk());
  EXPECT_THAT(check("a"), FailsWith(Code::kAborted, "moved to node b"));
}

TEST_P(NodesTest, ABundleIsNamedByItsHomeAlone) {
  RepositoryRecord mine = MakeRepository("a");
  const RepositoryRecord unbundled = mine;
  const auto name = [&](const RepositoryRecord& record) {
    return Write([record](Transaction& tx) {
      return tx.repositories.SetBundle(record);
    });
  };
  mine.bundle = "first";
  ASSERT_THAT(name(mine), IsOk());
  // Whoever saw the one before moves what is no longer so.
  EXPECT_THAT(Move(unbundled, "b"), FailsWith(Code::kAborted, "moved"));
  ASSERT_THAT(Move(GetRepository(), "b"), IsOk());
  mine.bundle = "second";
  EXPECT_THAT(name(mine), FailsWith(Code::kAborted, "moved"));
  EXPECT_EQ(GetRepository().bundle, "first");
  // Neither does the home of before, once it is that again.
  ASSERT_THAT(Move(GetRepository(), "a"), IsOk());
  EXPECT_THAT(name(mine), FailsWith(Code::kAborted, "moved"));
}

TEST_P(NodesTest, WhatHasNoHomeIsGivenOneOnce) {
  MakeRepository("");
  const auto take = [&](const std::string& node) {
    return Write(
        [node](Transaction& tx) { return tx.repositories.TakeHomeless(node); });
  };
  ASSERT_THAT(take("a"), IsOk());
  ASSERT_THAT(take("b"), IsOk());
  EXPECT_EQ(GetRepository().home, "a");
  EXPECT_THAT(Read([](Transaction& tx) {
                return tx.repositories.CountByHome();
              }).value(),
              ElementsAre(Pair("a", 1)));
}

TEST_P(NodesTest, WhoeverExpiresLeasesSecondChangesNothing) {
  const RunId run = Enqueue(v1::Run::KIND_PUSH);
  ASSERT_TRUE(Take().has_value());
  clock_.Advance(kTtl + seconds(1));
  const auto expire = [&] {
    return Write([now = clock_.Now()](Transaction& tx) {
             return tx.runs.ExpireLeases(now);
           })
        .value();
  };
  EXPECT_EQ(expire().size(), 1u);
  const RunRecord once = Get(run);
  EXPECT_THAT(expire(), IsEmpty());
  EXPECT_EQ(Get(run).losses, once.losses);
  EXPECT_EQ(Get(run).next_sequence, once.next_sequence);
}

TEST_P(NodesTest, AnEndThatComesSecondIsRefused) {
  const RunId run = Enqueue(v1::Run::KIND_PUSH);
  ASSERT_TRUE(Take().has_value());
  const auto hand_back = [&] {
    return Write([run, now = clock_.Now()](Transaction& tx) {
      return tx.runs.HandBack(run, 1, now, "overdue", true);
    });
  };
  ASSERT_THAT(hand_back(), IsOk());
  EXPECT_THAT(hand_back(), FailsWith(Code::kAborted, "not leased"));
  EXPECT_EQ(Get(run).losses, 1);
  ASSERT_TRUE(Take("w2").has_value());
  EXPECT_THAT(Write([run, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Renew(run, 1, now, kTtl);
              }),
              FailsWith(Code::kAborted, "epoch 1"));
}

TEST_P(NodesTest, ADeadlineIsLeftToTheHomeWhileThatIsHeardOf) {
  MakeRepository("a");
  ASSERT_THAT(Write([now = clock_.Now()](Transaction& tx) {
                ClockRecord clock;
                clock.version = 1;
                clock.start_time = now;
                clock.deadline = clock.cut_off_time = now + seconds(1);
                return tx.attempts.ChangeClock(AttemptId("att_1"), clock, {});
              }),
              IsOk());
  ASSERT_THAT(Register(Node("a")), IsOk());
  ASSERT_THAT(Register(Node("b")), IsOk());
  clock_.Advance(seconds(4));
  const auto due = [&](const std::string& node) {
    return Read([node, now = clock_.Now()](Transaction& tx) {
             return tx.attempts.ListPastCutOff(now, 10, node, now - seconds(5));
           })
        .value()
        .size();
  };
  EXPECT_EQ(due("a"), 1u);
  EXPECT_EQ(due("b"), 0u);
  clock_.Advance(seconds(2));  // silent for six seconds by now
  EXPECT_EQ(due("b"), 1u);
}

INSTANTIATE_TEST_SUITE_P(Stores, NodesTest, ::testing::ValuesIn(StoreKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace assay::storage
