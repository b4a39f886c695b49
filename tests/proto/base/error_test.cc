#include "proto/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace assay {
namespace {

Expected<int> Half(int n) {
  if (n % 2 != 0) return InvalidArgument(n, " is odd");
  return n / 2;
}

Expected<int> Quarter(int n) {
  ASSAY_ASSIGN_OR_RETURN(const int half, Half(n));
  return Half(half);
}

TEST(ErrorTest, FirstErrorReturnsFromTheCaller) {
  EXPECT_EQ(Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error(), (Error{Code::kInvalidArgument, "3 is odd"}));
  EXPECT_EQ(Quarter(5).error(), (Error{Code::kInvalidArgument, "5 is odd"}));
}

TEST(ErrorTest, WithinKeepsTheCodeAndPutsTheContextFirst) {
  const Error error = NotFound("no run r1").error().Within("lease");
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_EQ(error.message, "lease: no run r1");
}

TEST(ErrorTest, CodesHaveTheNamesOfTheProtocols) {
  EXPECT_EQ(CodeName(Code::kFailedPrecondition), "FAILED_PRECONDITION");
  EXPECT_EQ(ConnectCodeName(Code::kCancelled), "canceled");
  EXPECT_EQ(CodeName(static_cast<Code>(99)), "UNKNOWN");
}

TEST(ErrorTest, SystemErrorsKeepTheirMeaning) {
  EXPECT_EQ(SystemError("open /x", ENOENT).error().code, Code::kNotFound);
  EXPECT_EQ(SystemError("write", ENOSPC).error().code,
            Code::kResourceExhausted);
  EXPECT_THAT(SystemError("open /x", ENOENT).error().message,
              testing::StartsWith("open /x: "));
}

}  // namespace
}  // namespace assay
