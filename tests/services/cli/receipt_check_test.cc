#include "services/cli/receipt_check.h"

#include <gtest/gtest.h>

#include "proto/base/digest.h"
#include "services/cli/console.h"
#include "services/submissions/receipt.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::cli {
namespace {

using testing::FailsWith;

// A receipt as the server signs it.
class ReceiptCheckTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_;
  submissions::ReceiptSigner signer_ =
      submissions::ReceiptSigner::Open(directory_.path() / "key").value();
  v1::Receipt receipt_ = signer_.Sign(R"({"commit":"abc"})");
};

TEST_F(ReceiptCheckTest, WhatTheServerSignedIsGenuineAndNothingElse) {
  EXPECT_TRUE(IsGenuine(receipt_, signer_.public_key()));
  v1::Receipt changed = receipt_;
  changed.set_statement(R"({"commit":"abd"})");
  EXPECT_FALSE(IsGenuine(changed, signer_.public_key()));
  changed = receipt_;
  changed.mutable_signature()->back() ^= 1;
  EXPECT_FALSE(IsGenuine(changed, signer_.public_key()));
  const auto other =
      submissions::ReceiptSigner::Open(directory_.path() / "other").value();
  EXPECT_FALSE(IsGenuine(receipt_, other.public_key()));
}

TEST_F(ReceiptCheckTest, SurvivesTheFileAndTheKeyInEitherWriting) {
  const auto read = ParseReceipt(ToJson(receipt_, true));
  ASSERT_THAT(read, testing::IsOk());
  const auto key = ParsePublicKey(ToHex(signer_.public_key()) + "\n");
  ASSERT_THAT(key, testing::IsOk());
  EXPECT_TRUE(IsGenuine(*read, *key));
  EXPECT_EQ(KeyId(*key), receipt_.key_id());
}

TEST_F(ReceiptCheckTest, WhatIsNoReceiptOrNoKeyIsSaidSo) {
  for (const char* text : {"", "{}", "[1]", "no json", R"({"statement":"x"})"})
    EXPECT_THAT(ParseReceipt(text), FailsWith(Code::kInvalidArgument)) << text;
  for (const char* text : {"", "abc", "zz"})
    EXPECT_THAT(ParsePublicKey(text), FailsWith(Code::kInvalidArgument))
        << text;
}

}  // namespace
}  // namespace assay::cli
