// Coordinators that write to one database beside each other.

#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "services/storage/postgres/batch.h"
#include "tests/services/storage/postgres_fixture.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using testing::IsOk;

// Reports of two coordinators do not wait for each other; everything else that
// writes keeps out of their way, and they out of its.
TEST_P(PostgresTest, OnlyWritesOfOneKindRunBesideEachOther) {
  const auto store = Open();
  const auto renew = [&] {
    return testing::Await(store->WriteBeside([](Transaction& tx) {
      return tx.runs.Renew(RunId("run_1"), 1, Clock::TimePoint(),
                           std::chrono::seconds(1));
    }));
  };
  const auto other = Connect();
  const auto begin = [&](Beside beside, const char* patience) {
    ASSERT_THAT(other->Execute(
                    std::string("SET idle_in_transaction_session_timeout = ") +
                    patience),
                IsOk());
    ASSERT_THAT(BeginWriting(*other, beside), IsOk());
    ASSERT_THAT(other->Execute("SELECT 1"), IsOk());
  };
  // Neither has waited for the other: the session is there still.
  begin(Beside::kItsKind, "'60s'");
  EXPECT_THAT(renew(), FailsWith(Code::kAborted));
  ASSERT_THAT(other->Execute("COMMIT"), IsOk());

  begin(Beside::kItsKind, "'300ms'");
  EXPECT_THAT(Append(*store, "x"), IsOk());
  EXPECT_FALSE(other->Execute("COMMIT"));
}

TEST_P(PostgresTest, LeasesBesideEachOtherAreOfDifferentRuns) {
  const auto store = Open();
  for (const char* id : {"run_1", "run_2"}) {
    RunRecord run;
    run.id = RunId(id);
    run.attempt = AttemptId("att_1");
    run.assignment = AssignmentId("orders");
    run.kind = v1::Run::KIND_FINAL;
    ASSERT_THAT(testing::Await(store->Write(
                    [run](Transaction& tx) { return tx.runs.Enqueue(run); })),
                IsOk());
  }
  const auto lease = [](Transaction& tx) {
    return tx.runs.LeaseOldest("orders", WorkerId("w"), Clock::TimePoint(),
                               std::chrono::seconds(9),
                               RunTable::Among::kBeside);
  };
  const auto other = Connect();
  ASSERT_THAT(BeginWriting(*other, Beside::kItsKind), IsOk());
  Transaction beside(*other);
  const auto first = lease(beside).value();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->run.id, RunId("run_1"));
  const auto second = testing::Await(store->WriteBeside(lease)).value();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->run.id, RunId("run_2"));
  EXPECT_FALSE(testing::Await(store->WriteBeside(lease)).value());
  ASSERT_THAT(other->Execute("COMMIT"), IsOk());
}

TEST_P(PostgresTest, WritesBesideOthersWaitForOneThatIsAlone) {
  const auto store = Open();
  const auto alone = Connect();
  ASSERT_THAT(
      alone->Execute("SET idle_in_transaction_session_timeout = '300ms'"),
      IsOk());
  ASSERT_THAT(BeginWriting(*alone), IsOk());
  ASSERT_THAT(alone->Execute("SELECT 1"), IsOk());
  EXPECT_THAT(testing::Await(store->WriteBeside([](Transaction& tx) {
                return tx.runs.Renew(RunId("run_1"), 1, Clock::TimePoint(),
                                     std::chrono::seconds(1));
              })),
              FailsWith(Code::kAborted));
  EXPECT_FALSE(alone->Execute("COMMIT"));
}

// Two coordinators and one run: what the one has read, the other changes before
// the one writes. Which of them is late, the statement that writes must see.
class RacingTest : public PostgresTest {
 protected:
  RacingTest() {
    RunRecord run;
    run.id = RunId("run_1");
    run.attempt = AttemptId("att_1");
    run.assignment = AssignmentId("orders");
    run.kind = v1::Run::KIND_FINAL;
    run.queue_time = FromMicros(1);
    EXPECT_THAT(testing::Await(store_->Write(
                    [run](Transaction& tx) { return tx.runs.Enqueue(run); })),
                IsOk());
  }
  // What `write` comes to that meets `change` before it is committed.
  template <class Write>
  auto Meet(const std::string& change, Write write) {
    const auto other = Connect();
    const auto observer = Connect();
    EXPECT_THAT(other->Execute("BEGIN"), IsOk());
    EXPECT_THAT(other->Execute(change), IsOk());
    auto late = std::async(std::launch::async, [&] {
      return testing::Await(store_->Write(write));
    });
    while (observer
               ->Execute("SELECT pid FROM pg_stat_activity WHERE "
                         "wait_event_type = 'Lock'")
               ->rows.empty())
      std::this_thread::yield();
    EXPECT_THAT(other->Execute("COMMIT"), IsOk());
    return late.get();
  }
  static auto TakeIt() {
    return [](Transaction& tx) {
      return tx.runs.Lease(RunId("run_1"), WorkerId("w1"), FromMicros(2),
                           std::chrono::seconds(10));
    };
  }
  Expected<std::optional<RunChange>> Lease() {
    return testing::Await(store_->Write(TakeIt()));
  }
  RunRecord Get() {
    return *testing::Await(store_->Read(
        [](Transaction& tx) { return tx.runs.Get(RunId("run_1")); }));
  }

  const std::unique_ptr<Store> store_ = Open();
};

TEST_P(RacingTest, ARunIsGrantedByOneCoordinator) {
  const auto lease = Meet(
      "UPDATE runs SET state = 2, epoch = 1, worker = 'w2', lease_expiry = 9 "
      "WHERE id = 'run_1'",
      TakeIt());
  ASSERT_THAT(lease, IsOk());
  EXPECT_FALSE(lease->has_value());
  EXPECT_EQ(Get().worker, WorkerId("w2"));
  EXPECT_EQ(Get().epoch, 1u);
}

TEST_P(RacingTest, ALeaseThatIsRenewedIsNotTakenBack) {
  ASSERT_THAT(Lease(), IsOk());
  Meet(
      "UPDATE runs SET lease_expiry = lease_expiry + 10000000 "
      "WHERE id = 'run_1'",
      [](Transaction& tx) {
        return tx.runs.ExpireLeases(FromMicros(11'000'000));
      });
  EXPECT_EQ(Get().state, v1::Run::STATE_RUNNING);
  EXPECT_EQ(Get().losses, 0);
}

TEST_P(RacingTest, ALeaseThatHasEndedIsNotHandedBack) {
  ASSERT_THAT(Lease(), IsOk());
  EXPECT_THAT(
      Meet("UPDATE runs SET state = 3, outcome = 1, lease_expiry = NULL "
           "WHERE id = 'run_1'",
           [](Transaction& tx) {
             return tx.runs.HandBack(RunId("run_1"), 1, FromMicros(3), "late",
                                     true);
           }),
      FailsWith(Code::kAborted, "not leased"));
  EXPECT_EQ(Get().state, v1::Run::STATE_FINISHED);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RacingTest);
INSTANTIATE_TEST_SUITE_P(Postgres, RacingTest,
                         ::testing::ValuesIn(HavePostgres()
                                                 ? std::vector<int>{0}
                                                 : std::vector<int>{}));

}  // namespace
}  // namespace assay::storage
