#include "services/identity/sign_in_limit.h"

#include <gtest/gtest.h>

#include "tests/testing/manual_clock.h"
#include "tests/testing/matchers.h"

namespace assay::identity {
namespace {

using testing::FailsWith;
using testing::IsOk;

class SignInLimitTest : public ::testing::Test {
 protected:
  testing::ManualClock clock_;
  SignInLimit limit_{clock_};
};

TEST_F(SignInLimitTest, AnAddressCannotLockANameOutForTheOthers) {
  for (std::size_t i = 0; i < SignInLimit::kPerNameAndAddress; ++i)
    ASSERT_THAT(limit_.Admit("grace", "192.0.2.1"), IsOk());
  EXPECT_THAT(limit_.Admit("grace", "192.0.2.1"),
              FailsWith(Code::kResourceExhausted));
  EXPECT_THAT(limit_.Admit("grace", "192.0.2.2"), IsOk());
  EXPECT_THAT(limit_.Admit("ada", "192.0.2.1"), IsOk());
}

TEST_F(SignInLimitTest, AnAddressMayTryOnlySoManyNames) {
  for (std::size_t i = 0; i < SignInLimit::kPerAddress; ++i)
    ASSERT_THAT(limit_.Admit("name" + std::to_string(i), "192.0.2.1"), IsOk());
  EXPECT_THAT(limit_.Admit("another", "192.0.2.1"),
              FailsWith(Code::kResourceExhausted));
}

TEST_F(SignInLimitTest, SuccessForgivesTheMistakesBeforeIt) {
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < SignInLimit::kPerNameAndAddress - 1; ++i)
      static_cast<void>(limit_.Admit("grace", "192.0.2.1"));
    limit_.Succeeded("grace", "192.0.2.1");
    clock_.Advance(SignInLimit::kWindow);
  }
  EXPECT_THAT(limit_.Admit("grace", "192.0.2.1"), IsOk());
}

TEST_F(SignInLimitTest, TheWindowMovesOn) {
  for (std::size_t i = 0; i < SignInLimit::kPerNameAndAddress; ++i) {
    ASSERT_THAT(limit_.Admit("grace", "192.0.2.1"), IsOk());
    clock_.Advance(std::chrono::minutes(1));
  }
  EXPECT_THAT(limit_.Admit("grace", "192.0.2.1"),
              FailsWith(Code::kResourceExhausted, "600 s"));
  clock_.Advance(std::chrono::minutes(10));
  EXPECT_THAT(limit_.Admit("grace", "192.0.2.1"), IsOk());
  EXPECT_THAT(limit_.Admit("grace", "192.0.2.1"),
              FailsWith(Code::kResourceExhausted, "60 s"));
}

}  // namespace
}  // namespace assay::identity
