// What workers have to prove, and what they may touch then.
#include <gmock/gmock.h>

#include "services/rpc/proto_time.h"
#include "tests/services/dispatch/dispatch_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::dispatch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using v1::Run;

class ProvingTest : public DispatchFixture {
 protected:
  using Attached = DispatchFixture::Worker;

  ProvingTest() {
    options_.version = "1.4.2";
    options_.certificates = {
        .check = [this](std::string fingerprint) -> rpc::Async<void> {
          if (revoked_ == fingerprint)
            co_return Fail(Code::kPermissionDenied, "was revoked");
          co_return Status();
        },
        .renew = [](std::string fingerprint, std::string request)
            -> rpc::Async<WorkerCertificates::Renewed> {
          if (request != "csr") co_return InvalidArgument("no request");
          co_return WorkerCertificates::Renewed{
              .pem = "pem",
              .proof = {.name = fingerprint.substr(0, fingerprint.find('-')),
                        .fingerprint = "second"}};
        }};
    Restart();
  }

  // With the certificate of `name`; says `claim` of itself.
  Attached AttachAs(const std::string& name, const std::string& claim = "",
                    const std::string& worker_id = "id",
                    const std::string& version = "") {
    Attached worker{.link = std::make_shared<FakeLink>()};
    worker.session = dispatcher_->Open(
        worker.link, {.name = name, .fingerprint = name + "-1"});
    AttachRequest request;
    request.mutable_hello()->set_worker_id(worker_id);
    request.mutable_hello()->set_name(claim);
    request.mutable_hello()->set_version(version);
    request.mutable_hello()->set_slots(2);
    Say(worker, std::move(request));
    Settle();
    return worker;
  }

  static boost::asio::awaitable<bool> Expel(Dispatcher* dispatcher,
                                            std::string name) {
    co_await dispatcher->Expel(
        std::move(name),
        Error{Code::kPermissionDenied, "the certificate was revoked"});
    co_return true;
  }

  std::string RefusalOf(const Attached& worker) {
    return worker.link->closed ? worker.link->closed->message : "";
  }

  std::string revoked_;
};

TEST_F(ProvingTest, TheCertificatesNameIsTheWorkers) {
  const Attached plain = AttachAs("b1");
  EXPECT_TRUE(plain.link->Has(AttachResponse::kWelcome));
  EXPECT_EQ(dispatcher_->Workers().front().name, "b1");
  EXPECT_EQ(RefusalOf(AttachAs("b2", "b2", "other")), "");
  EXPECT_THAT(
      RefusalOf(AttachAs("b2", "b1", "third")),
      AllOf(HasSubstr("for the name b2"), HasSubstr("calls itself b1")));
}

TEST_F(ProvingTest, NobodyTakesAnotherWorkersPlaceByItsId) {
  const Attached victim = AttachAs("b1", "", "id");
  const Attached thief = AttachAs("b2", "", "id");
  EXPECT_EQ(RefusalOf(victim), "");
  EXPECT_EQ(RefusalOf(thief), "");
  // Nor does one with a token, which says no name.
  EXPECT_THAT(RefusalOf(Attach("b1/id")), HasSubstr("slash"));
  EXPECT_EQ(RefusalOf(victim), "");
}

TEST_F(ProvingTest, AWorkerTouchesNothingOfAnothersRun) {
  const Attached owner = AttachAs("b1");
  Demand(owner, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(owner);
  const Attached other = AttachAs("b2");

  for (const std::string& digest : {lease.plan_digest(), lease.pack_digest()}) {
    AttachRequest fetch;
    fetch.mutable_fetch()->set_digest(digest);
    Say(other, std::move(fetch));
    const auto chunk = Expect(other, AttachResponse::kChunk).chunk();
    EXPECT_THAT(chunk.error(), HasSubstr("no lease of this worker"));
    EXPECT_THAT(chunk.content(), IsEmpty());
  }
  Report(other, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Expect(other, AttachResponse::kRevoke).revoke().run(), run.str());
  HandBack(other, lease, /*fault=*/true);
  EXPECT_EQ(Expect(other, AttachResponse::kRevoke).revoke().run(), run.str());
  AttachRequest::Held held;
  held.set_run(run.str());
  held.set_epoch(lease.epoch());
  const auto expiry = Get(run).lease_expiry;
  clock_.Advance(std::chrono::seconds(1));
  Beat(other, {held});
  EXPECT_EQ(Expect(other, AttachResponse::kRevoke).revoke().run(), run.str());

  const storage::RunRecord after = Get(run);
  EXPECT_EQ(after.state, Run::STATE_RUNNING);
  EXPECT_EQ(after.epoch, lease.epoch());
  EXPECT_EQ(after.lease_expiry, expiry);
  // Its owner goes on as if nothing had been.
  Report(owner, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(run).state, Run::STATE_FINISHED);
}

TEST_F(ProvingTest, ARevokedWorkerIsSentAwayAndItsRunsGoToOthers) {
  const Attached worker = AttachAs("b1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);
  loop_.Await(Expel(dispatcher_.get(), "b1"));
  EXPECT_THAT(RefusalOf(worker), HasSubstr("revoked"));
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
  // What it still says is not heard.
  Report(worker, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
  const Attached next = AttachAs("b2");
  Demand(next, 1);
  EXPECT_GT(ExpectLease(next).epoch(), lease.epoch());
}

TEST_F(ProvingTest, AnotherCoordinatorsRevocationHoldsAtTheNextHeartbeat) {
  const Attached worker = AttachAs("b1");
  Beat(worker, {});
  EXPECT_EQ(RefusalOf(worker), "");
  revoked_ = "b1-1";
  Beat(worker, {});
  Settle();
  EXPECT_THAT(RefusalOf(worker), HasSubstr("revoked"));
}

TEST_F(ProvingTest, ANewCertificateTakesTheOldOnesPlace) {
  const Attached worker = AttachAs("b1");
  AttachRequest renew;
  renew.mutable_renew()->set_certificate_request("csr");
  Say(worker, renew);
  EXPECT_EQ(Expect(worker, AttachResponse::kCertificate).certificate().pem(),
            "pem");
  revoked_ = "second";
  Beat(worker, {});
  Settle();
  EXPECT_THAT(RefusalOf(worker), HasSubstr("revoked"));
}

TEST_F(ProvingTest, OnlyACertificateIsRenewed) {
  const Attached worker = Attach("w1");
  AttachRequest renew;
  renew.mutable_renew()->set_certificate_request("csr");
  Say(worker, renew);
  EXPECT_THAT(
      Expect(worker, AttachResponse::kCertificate).certificate().error(),
      HasSubstr("only a worker with a certificate"));
}

TEST_F(ProvingTest, VersionsThatDoNotGoTogetherAreNamed) {
  for (const char* fine : {"1.4.0", "1.3.9", "1.5.0", "dev", ""})
    EXPECT_EQ(RefusalOf(AttachAs("b1", "", "id", fine)), "") << fine;
  for (const char* far : {"2.4.2", "1.2.0", "1.6.0", "0.4.2"})
    EXPECT_THAT(RefusalOf(AttachAs("b1", "", "id", far)),
                AllOf(HasSubstr(std::string("is version ") + far),
                      HasSubstr("coordinator is version 1.4.2")));
}

TEST_F(ProvingTest, AClockThatIsOffIsShown) {
  const Attached worker = AttachAs("b1");
  EXPECT_EQ(rpc::FromProto(
                Expect(worker, AttachResponse::kWelcome).welcome().send_time()),
            clock_.Now());
  const auto shown_for = [&](std::chrono::microseconds ahead) {
    AttachRequest beat;
    *beat.mutable_heartbeat()->mutable_clock_ahead() = rpc::ToProto(ahead);
    Say(worker, std::move(beat));
    Settle();
    return dispatcher_->Workers().front().clock_ahead;
  };
  EXPECT_EQ(shown_for(std::chrono::milliseconds(1'900)).count(), 0);
  EXPECT_EQ(shown_for(std::chrono::milliseconds(-3'200)),
            std::chrono::milliseconds(-3'200));
  EXPECT_EQ(shown_for(std::chrono::seconds(0)).count(), 0);
}

}  // namespace
}  // namespace assay::dispatch
