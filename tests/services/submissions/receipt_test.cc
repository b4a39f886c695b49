#include "services/submissions/receipt.h"

#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/v1/submission_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::submissions {
namespace {

using testing::FailsWith;
using testing::IsOk;

class ReceiptTest : public testing::ServiceTest {
 protected:
  ReceiptTest() {
    assay_.MakeAssignment();
    candidate_ = assay_.Begin();
    assay_.Push(candidate_, 'a');
    v1::CreateSubmissionRequest submit;
    submit.set_attempt("attempts/me");
    EXPECT_THAT(assay_.Call<v1::CreateSubmissionResponse>(
                    candidate_, "SubmissionService/CreateSubmission", submit),
                IsOk());
  }
  Expected<v1::Receipt> Get(const rpc::Caller& caller,
                            const std::string& name) {
    v1::GetReceiptRequest request;
    request.set_submission(name);
    auto response = assay_.Call<v1::GetReceiptResponse>(
        caller, "SubmissionService/GetReceipt", request);
    if (!response) return std::unexpected(response.error());
    return response->receipt();
  }
  std::string PublicKey() {
    return assay_
        .Call<v1::GetReceiptKeyResponse>({}, "SubmissionService/GetReceiptKey",
                                         v1::GetReceiptKeyRequest())
        ->public_key();
  }
  std::string Name() const {
    return "attempts/" + candidate_.attempt.str() + "/submissions/1";
  }

  rpc::Caller candidate_;
};

TEST_F(ReceiptTest, SaysWhatWasHandedInAndProvesIt) {
  const auto receipt = Get(candidate_, Name());
  ASSERT_THAT(receipt, IsOk());
  EXPECT_TRUE(VerifyReceipt(*receipt, PublicKey()));
  const auto statement = nlohmann::json::parse(receipt->statement());
  EXPECT_EQ(statement["submission"], Name());
  EXPECT_EQ(statement["commit"], std::string(40, 'a'));
  EXPECT_EQ(statement["push_receive_time"], "2026-01-01T00:00:00Z");
  EXPECT_EQ(statement["clock_version"], 1);
  EXPECT_EQ(statement["assignment"], "assignments/orders");
}

TEST_F(ReceiptTest, IsTheSameEachTimeAndAfterARestart) {
  const auto first = Get(candidate_, Name());
  EXPECT_EQ(Get(candidate_, Name())->SerializeAsString(),
            first->SerializeAsString());
  assay_.Restart();
  EXPECT_EQ(Get(candidate_, Name())->SerializeAsString(),
            first->SerializeAsString());
}

TEST_F(ReceiptTest, AChangedStatementOrAnotherKeyIsFound) {
  v1::Receipt receipt = *Get(candidate_, Name());
  std::string other = PublicKey();
  other[0] = static_cast<char>(other[0] ^ 1);
  EXPECT_FALSE(VerifyReceipt(receipt, other));
  EXPECT_FALSE(VerifyReceipt(receipt, ""));
  v1::Receipt forged = receipt;
  forged.mutable_statement()->replace(forged.statement().find("aaaa"), 1, "b");
  EXPECT_FALSE(VerifyReceipt(forged, PublicKey()));
  receipt.mutable_signature()->pop_back();
  EXPECT_FALSE(VerifyReceipt(receipt, PublicKey()));
}

TEST_F(ReceiptTest, OthersReceiptsAreNotThere) {
  EXPECT_THAT(Get(assay_.Begin(), Name()), FailsWith(Code::kNotFound));
  EXPECT_THAT(Get(candidate_, "attempts/me/submissions/2"),
              FailsWith(Code::kNotFound));
  for (const char* name : {"", "attempts/me", "attempts/me/submissions/",
                           "attempts/me/submissions/x"})
    EXPECT_THAT(Get(candidate_, name), FailsWith(Code::kInvalidArgument))
        << name;
}

TEST_F(ReceiptTest, TheKeyIsKeptForItsOwnerOnlyAndADamagedOneIsNamed) {
  const auto file = assay_.directory.path() / "receipt.key";
  struct stat status{};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::ofstream(file) << "garbage";
  EXPECT_THAT(ReceiptSigner::Open(file),
              FailsWith(Code::kDataLoss, "receipt.key"));
}

}  // namespace
}  // namespace assay::submissions
