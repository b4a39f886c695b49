#include "services/attempts/version_service.h"

#include <google/protobuf/util/time_util.h>

#include "assay/v1/assignment_service.pb.h"
#include "assay/v1/attempt_service.pb.h"
#include "services/attempts/clock.h"
#include "services/rpc/proto_time.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using google::protobuf::util::TimeUtil;
using std::chrono::hours;
using std::chrono::minutes;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class VersionServiceTest : public testing::ServiceTest {
 protected:
  VersionServiceTest() {
    assay_.MakeAssignment();
    candidate_ = assay_.Begin();
  }
  // The next version: `spec`, and another template where one is given.
  void Update(v1::AssignmentSpec spec, const std::string& readme = "") {
    v1::UpdateAssignmentRequest request;
    request.set_name("assignments/orders");
    request.set_expected_version(++version_);
    *request.mutable_spec() = std::move(spec);
    if (!readme.empty()) {
      auto* file = request.mutable_template_()->add_files();
      file->set_path("README.md");
      file->set_content(readme);
      file->set_mode(0100644);
    }
    ASSERT_THAT(assay_.Call<v1::UpdateAssignmentResponse>(
                    author_, "AssignmentService/UpdateAssignment", request),
                IsOk());
  }
  Expected<v1::MoveAttemptsResponse> Move(std::vector<std::string> names = {},
                                          const std::string& reason = "fix") {
    v1::MoveAttemptsRequest request;
    request.set_name("assignments/orders");
    for (const std::string& name : names) request.add_attempts(name);
    request.set_reason(reason);
    return assay_.Call<v1::MoveAttemptsResponse>(
        author_, "AssignmentService/MoveAttempts", request);
  }
  Expected<v1::OfferTemplateResponse> Offer() {
    v1::OfferTemplateRequest request;
    request.set_name("assignments/orders");
    return assay_.Call<v1::OfferTemplateResponse>(
        author_, "AssignmentService/OfferTemplate", request);
  }
  v1::Attempt Attempt() { return assay_.GetAttempt(candidate_); }

  int version_ = 0;
  rpc::Caller candidate_;
  rpc::Caller author_ = Installation::As(v1::ROLE_AUTHOR);
};

TEST_F(VersionServiceTest, RunningAttemptsKeepTheirVersionUntilTheyAreMoved) {
  v1::AssignmentSpec spec = Installation::SomeSpec();
  spec.set_late_policy(v1::AssignmentSpec::LATE_POLICY_PRACTICE);
  Update(spec);
  EXPECT_EQ(Attempt().assignment_version(), 1);
  EXPECT_EQ(Attempt().rules().late_policy(),
            v1::AssignmentSpec::LATE_POLICY_REJECT);

  const auto moved = Move();
  ASSERT_THAT(moved, IsOk());
  ASSERT_EQ(moved->moves_size(), 1);
  EXPECT_EQ(moved->moves(0).from_version(), 1);
  EXPECT_EQ(Attempt().assignment_version(), 2);
  EXPECT_EQ(Attempt().rules().late_policy(),
            v1::AssignmentSpec::LATE_POLICY_PRACTICE);
  EXPECT_EQ(Move()->moves_size(), 0) << "they are there already";
}

TEST_F(VersionServiceTest, AMoveGivesTimeAndTakesNone) {
  const auto before = Attempt().clock();
  v1::AssignmentSpec spec = Installation::SomeSpec();
  *spec.mutable_duration() = TimeUtil::MinutesToDuration(1);
  Update(spec);
  ASSERT_THAT(Move(), IsOk());
  EXPECT_EQ(Attempt().clock().deadline().seconds(),
            before.deadline().seconds());

  *spec.mutable_duration() = TimeUtil::HoursToDuration(3);
  Update(spec);
  ASSERT_THAT(Move(), IsOk());
  EXPECT_EQ(Attempt().clock().deadline().seconds(),
            before.start_time().seconds() + 3 * 3600);
  EXPECT_GT(Attempt().clock().version(), before.version());
}

TEST_F(VersionServiceTest, AMoveNeedsAReasonAndAttemptsOfTheAssignment) {
  Update(Installation::SomeSpec());
  EXPECT_THAT(Move({}, ""), FailsWith(Code::kInvalidArgument, "reason"));
  EXPECT_THAT(Move({"attempts/att_gone"}), FailsWith(Code::kNotFound));
  EXPECT_EQ(Attempt().assignment_version(), 1);
}

TEST_F(VersionServiceTest, WhoeverWaitsSeesWhatTheyWillStartWith) {
  const rpc::Caller waiting = assay_.Accept();
  v1::AssignmentSpec spec = Installation::SomeSpec();
  *spec.mutable_duration() = TimeUtil::HoursToDuration(7);
  Update(spec);
  const v1::Attempt shown = assay_.GetAttempt(waiting);
  EXPECT_EQ(shown.assignment_version(), 2);
  EXPECT_EQ(shown.clock().duration().seconds(), 7 * 3600);
}

TEST_F(VersionServiceTest, AFixIsOfferedOnABranchAndChangesNothingElse) {
  EXPECT_EQ(Offer()->offers_size(), 0) << "they have that template";
  Update(Installation::SomeSpec(), "fixed");
  const auto offered = Offer();
  ASSERT_THAT(offered, IsOk());
  ASSERT_EQ(offered->offers_size(), 1);
  EXPECT_EQ(offered->offers(0).branch(), "template-v2");
  EXPECT_EQ((assay_.repositories
                 .branches[{assay_.RepositoryOf(candidate_), "template-v2"}]),
            offered->offers(0).commit());
  EXPECT_EQ(Attempt().template_branch(), "template-v2");
  EXPECT_EQ(Attempt().assignment_version(), 1);
  EXPECT_EQ(Offer()->offers(0).commit(), offered->offers(0).commit());
}

TEST_F(VersionServiceTest, AnOfferThatACrashCutOffIsKnownBeforeItsBranch) {
  Update(Installation::SomeSpec(), "fixed");
  // The commit is written, the branch is not.
  struct Cut {
    rpc::Async<void> operator()(RepositoryId, std::string, std::string) const {
      co_return Unavailable("the disk is full");
    }
  };
  VersionService cut(
      *assay_.parts().store, assay_.clock,
      {.write_offer =
           [this](RepositoryId id, std::string base, std::string offered) {
             return assay_.repositories.WriteOffer(id, base, offered);
           },
       .write_branch = Cut(),
       .on_clock_changed = [] {},
       .on_changed = [](const AttemptId&) {}});
  rpc::MethodRegistry registry;
  cut.Register(registry);
  auto request = std::make_unique<v1::OfferTemplateRequest>();
  request->set_name("assignments/orders");
  const auto result = assay_.loop.Await(
      registry.Find("assay.v1.AssignmentService/OfferTemplate")
          ->unary({.caller = author_}, std::move(request)));
  EXPECT_THAT(result, FailsWith(Code::kUnavailable));
  EXPECT_EQ(assay_
                .Read([id = candidate_.attempt](storage::Transaction& tx) {
                  return tx.template_offers.List(id);
                })
                ->size(),
            1u);
  EXPECT_EQ(Offer()->offers_size(), 1) << "a repeat finishes it";
}

TEST_F(VersionServiceTest, AWatcherHearsOfEveryChangeAndStartsWithTheState) {
  auto watch = assay_.parts().feed->WatchAttempt(candidate_.attempt);
  const auto heard = [&] {
    bool done = false;
    assay_.loop.Spawn([](runs::RunFeed::AttemptWatch& from,
                         bool& flag) -> boost::asio::awaitable<void> {
      flag = (co_await from.Next()).has_value();
    }(*watch, done));
    assay_.loop.RunReady();
    return done;
  };
  v1::ExtendAttemptRequest extend;
  extend.set_name("attempts/" + candidate_.attempt.str());
  extend.mutable_extension()->set_seconds(60);
  extend.set_reason("because");
  ASSERT_THAT(assay_.Call<v1::ExtendAttemptResponse>(
                  author_, "AttemptService/ExtendAttempt", extend),
              IsOk());
  EXPECT_TRUE(heard());
  assay_.Push(candidate_, 'a');
  EXPECT_TRUE(heard());
  Update(Installation::SomeSpec(), "fixed");
  ASSERT_THAT(Offer(), IsOk());
  EXPECT_TRUE(heard());
}

}  // namespace
}  // namespace assay::attempts
