// What a store is: transactions that happen whole or not at all, durable when
// they are acknowledged.

#include <thread>

#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using testing::FailsWith;
using testing::IsOk;

using StoreTest = StoreConformanceTest;

AuditRecord Note(const std::string& text) {
  return {.time = FromMicros(1), .actor = "a", .action = "t", .detail = text};
}

TEST_P(StoreTest, AFailedClosureLeavesNothing) {
  EXPECT_THAT(Write([](Transaction& tx) -> Status {
                ASSAY_RETURN_IF_ERROR(tx.audit.Append(Note("half")));
                return Aborted("changed my mind");
              }),
              FailsWith(Code::kAborted, "changed my mind"));
  EXPECT_TRUE(
      Read([](Transaction& tx) { return tx.audit.List(0, 10); })->empty());
}

TEST_P(StoreTest, AThrowingClosureLeavesNothingAndHarmsNobody) {
  EXPECT_THAT(Write([](Transaction& tx) -> Status {
                (void)tx.audit.Append(Note("half"));
                throw std::runtime_error("bug");
              }),
              FailsWith(Code::kInternal, "bug"));
  EXPECT_THAT(Write([](Transaction& tx) { return tx.audit.Append(Note("x")); }),
              IsOk());
  EXPECT_EQ(Read([](Transaction& tx) { return tx.audit.List(0, 10); })->size(),
            1);
}

TEST_P(StoreTest, ReadersCannotWrite) {
  EXPECT_FALSE(
      Read([](Transaction& tx) { return tx.audit.Append(Note("x")); }));
  EXPECT_TRUE(
      Read([](Transaction& tx) { return tx.audit.List(0, 10); })->empty());
}

TEST_P(StoreTest, WhatWasAcknowledgedIsThereAfterReopening) {
  ASSERT_THAT(Write([](Transaction& tx) { return tx.audit.Append(Note("x")); }),
              IsOk());
  Reopen();
  EXPECT_EQ(Read([](Transaction& tx) { return tx.audit.List(0, 10); })->size(),
            1);
}

TEST_P(StoreTest, FailuresAmongManyWritersTouchOnlyThemselves) {
  // All in flight together, so that they share commits; every third fails
  // after it has written.
  constexpr int kWriters = 300;
  int done = 0;
  int failed = 0;
  for (int i = 0; i < kWriters; ++i) {
    auto write = [](Store* store, int number, int* done_count,
                    int* failed_count) -> boost::asio::awaitable<void> {
      const Status status =
          co_await store->Write([number](Transaction& tx) -> Status {
            ASSAY_RETURN_IF_ERROR(
                tx.audit.Append(Note(std::to_string(number))));
            if (number % 3 == 0) return Aborted("third");
            return {};
          });
      ++*done_count;
      if (!status) ++*failed_count;
    };
    loop_.Spawn(write(store_.get(), i, &done, &failed));
  }
  loop_.RunUntil([&] { return done == kWriters; });
  EXPECT_EQ(failed, kWriters / 3);
  EXPECT_EQ(Read([](Transaction& tx) { return tx.audit.Verify(); }),
            kWriters - kWriters / 3);
}

TEST_P(StoreTest, ResumesOnTheCallersThread) {
  const auto caller = std::this_thread::get_id();
  auto where = [](Store* store) -> Async<std::thread::id> {
    ASSAY_CO_RETURN_IF_ERROR(
        co_await store->Read([](Transaction& tx) { return tx.runs.Count(); }));
    co_return std::this_thread::get_id();
  };
  EXPECT_EQ(loop_.Await(where(store_.get())), caller);
}

TEST_P(StoreTest, AReadSeesEveryWriteThatWasAcknowledgedBefore) {
  for (int i = 1; i <= 50; ++i) {
    ASSERT_THAT(
        Write([](Transaction& tx) { return tx.audit.Append(Note("x")); }),
        IsOk());
    ASSERT_EQ(Read([](Transaction& tx) { return tx.audit.Verify(); }), i);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, ::testing::ValuesIn(StoreKinds()),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace assay::storage
