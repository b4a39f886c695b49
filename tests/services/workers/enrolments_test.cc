#include "services/workers/enrolments.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "runner/worker/identity.h"
#include "tests/services/installation/installation.h"
#include "tests/testing/temporary_directory.h"

namespace assay::workers {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using worker::KeyRequest;

constexpr std::chrono::hours kLife{24};

class EnrolmentsTest : public testing::ServiceTest {
 protected:
  EnrolmentsTest() { Run(enrolments_.Announce()); }

  template <class T>
  Expected<T> Run(rpc::Async<T> work) {
    return assay_.loop.Await(std::move(work));
  }
  std::string Token(const std::string& name) {
    return Run(enrolments_.Permit(name, std::chrono::hours(1), "Ada"))->token;
  }
  Certificate Enrolled(const std::string& name) {
    return *Run(enrolments_.Enrol(Token(name), request_.request_pem));
  }
  Expected<Certificate> Judge(const std::string& pem) {
    return Run(enrolments_.Judge(pem));
  }

  testing::TemporaryDirectory folder_;
  const std::filesystem::path file_ = folder_.path() / "authority.pem";
  Enrolments enrolments_{*assay_.parts().store, assay_.clock,
                         *CertificateAuthority::Open(file_, assay_.clock.Now()),
                         kLife};
  const KeyRequest request_ = *worker::MakeKeyRequest();
};

TEST_F(EnrolmentsTest, ATokenMakesOneWorkerOfThatName) {
  const std::string token = Token("b1");
  const auto issued = Run(enrolments_.Enrol(token, request_.request_pem));
  ASSERT_THAT(issued, IsOk());
  EXPECT_EQ(issued->name, "b1");
  EXPECT_TRUE(worker::JoinIdentity(request_.key_pem, issued->pem));
  EXPECT_EQ(Judge(issued->pem)->name, "b1");
  EXPECT_THAT(Run(enrolments_.Enrol(token, request_.request_pem)),
              FailsWith(Code::kUnauthenticated, "was used before"));
}

TEST_F(EnrolmentsTest, TokensExpireAndStrangersHaveNone) {
  const std::string token = Token("b1");
  assay_.clock.Advance(std::chrono::hours(2));
  EXPECT_THAT(Run(enrolments_.Enrol(token, request_.request_pem)),
              FailsWith(Code::kUnauthenticated, "has expired"));
  EXPECT_THAT(Run(enrolments_.Enrol("enrol_x", request_.request_pem)),
              FailsWith(Code::kUnauthenticated, "not known here"));
}

TEST_F(EnrolmentsTest, ABadRequestLeavesTheTokenAsItWas) {
  const std::string token = Token("b1");
  std::string forged = request_.request_pem;
  // One byte of the signature.
  forged[forged.size() - 45] = forged[forged.size() - 45] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {std::string("junk"), std::string(), forged,
                                 std::string(1 << 20, 'x'), request_.key_pem})
    EXPECT_THAT(Run(enrolments_.Enrol(token, bad)),
                FailsWith(Code::kInvalidArgument, "certificate request"));
  EXPECT_THAT(Run(enrolments_.Enrol(token, request_.request_pem)), IsOk());
}

TEST_F(EnrolmentsTest, RevokedCertificatesCountNoMore) {
  const Certificate issued = Enrolled("b1");
  const std::string open_token = Token("b1");
  EXPECT_THAT(Run(enrolments_.StillGood(issued.fingerprint)), IsOk());
  EXPECT_THAT(
      Run(RevokeCertificates(*assay_.parts().store, assay_.clock, "b1", "Ada")),
      IsOk());
  EXPECT_THAT(Judge(issued.pem),
              FailsWith(Code::kPermissionDenied, "b1 was revoked"));
  EXPECT_THAT(Run(enrolments_.StillGood(issued.fingerprint)),
              FailsWith(Code::kPermissionDenied, "revoked"));
  // Nor does what it could have come back by; another coordinator, to which
  // it is still attached, may be the one that is asked for a renewal.
  EXPECT_THAT(Run(enrolments_.Enrol(open_token, request_.request_pem)),
              FailsWith(Code::kUnauthenticated, "not known"));
  EXPECT_THAT(Run(enrolments_.Renew(issued.fingerprint, request_.request_pem)),
              FailsWith(Code::kPermissionDenied, "revoked"));
  EXPECT_THAT(
      Run(RevokeCertificates(*assay_.parts().store, assay_.clock, "b1", "Ada")),
      FailsWith(Code::kNotFound, "no certificate"));
}

TEST_F(EnrolmentsTest, ExpiredCertificatesCountNoMore) {
  const Certificate issued = Enrolled("b1");
  const auto renewed =
      Run(enrolments_.Renew(issued.fingerprint, request_.request_pem));
  assay_.clock.Advance(kLife + std::chrono::minutes(2));
  EXPECT_THAT(Judge(issued.pem),
              FailsWith(Code::kUnauthenticated,
                        "has expired: enrol it anew with `assay worker enrol "
                        "b1`"));
  EXPECT_THAT(Run(enrolments_.StillGood(issued.fingerprint)),
              FailsWith(Code::kUnauthenticated, "expired"));
  // Clocks are off by a minute or two, not by days.
  assay_.clock.Advance(-3 * kLife);
  EXPECT_THAT(Judge(renewed->pem),
              FailsWith(Code::kUnauthenticated, "not in force yet"));
}

TEST_F(EnrolmentsTest, WhatAnotherAuthorityIssuedCountsForNothing) {
  const auto other = *CertificateAuthority::Open(folder_.path() / "other.pem",
                                                 assay_.clock.Now());
  const auto foreign =
      *other.Issue(request_.request_pem, "b1", assay_.clock.Now(), kLife);
  EXPECT_THAT(Judge(foreign.pem),
              FailsWith(Code::kUnauthenticated, "not issued here"));
  EXPECT_THAT(Judge("junk"), FailsWith(Code::kUnauthenticated, "PEM"));
  // Neither does one by a stolen key of ours, which the store has not.
  const auto stolen = *CertificateAuthority::Open(file_, assay_.clock.Now());
  const auto made =
      *stolen.Issue(request_.request_pem, "b1", assay_.clock.Now(), kLife);
  EXPECT_THAT(Judge(made.pem),
              FailsWith(Code::kUnauthenticated, "not in the store"));
}

TEST_F(EnrolmentsTest, EachCoordinatorTakesWhatTheOthersIssued) {
  Enrolments other(*assay_.parts().store, assay_.clock,
                   *CertificateAuthority::Open(folder_.path() / "other.pem",
                                               assay_.clock.Now()),
                   kLife);
  Run(other.Announce());
  const Certificate issued = Enrolled("b1");
  const auto judged = Run(other.Judge(issued.pem));
  ASSERT_THAT(judged, IsOk());
  EXPECT_EQ(judged->name, "b1");
  const auto renewed =
      Run(other.Renew(issued.fingerprint, request_.request_pem));
  ASSERT_THAT(renewed, IsOk());
  EXPECT_THAT(Judge(renewed->pem), IsOk());
}

TEST_F(EnrolmentsTest, TheAuthoritysKeyIsItsOwnersAndStays) {
  struct stat status{};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600);
  const auto again = CertificateAuthority::Open(file_, assay_.clock.Now());
  const auto once_more = CertificateAuthority::Open(file_, assay_.clock.Now());
  EXPECT_EQ(again->certificate().fingerprint,
            once_more->certificate().fingerprint);
  std::ofstream(file_) << "junk";
  EXPECT_THAT(CertificateAuthority::Open(file_, assay_.clock.Now()),
              FailsWith(Code::kDataLoss, "authority.pem"));
}

}  // namespace
}  // namespace assay::workers
