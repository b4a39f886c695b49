#include "services/assignments/assignment_service.h"

#include "assay/v1/assignment_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::assignments {
namespace {

using std::chrono::hours;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class AssignmentServiceTest : public testing::ServiceTest {
 protected:
  v1::CreateAssignmentRequest Request(const std::string& slug) {
    v1::CreateAssignmentRequest request;
    request.set_assignment_id(slug);
    *request.mutable_spec() = Installation::SomeSpec();
    *request.mutable_template_() = Installation::SomeTree();
    *request.mutable_suite() = Installation::SomeTree();
    return request;
  }
  Expected<v1::CreateAssignmentResponse> Create(
      const v1::CreateAssignmentRequest& request) {
    return assay_.Call<v1::CreateAssignmentResponse>(
        Installation::Admin(), "AssignmentService/CreateAssignment", request);
  }
  Expected<v1::UpdateAssignmentResponse> Update(
      const v1::UpdateAssignmentRequest& request) {
    return assay_.Call<v1::UpdateAssignmentResponse>(
        Installation::Admin(), "AssignmentService/UpdateAssignment", request);
  }
  Expected<v1::GetAssignmentResponse> Get(int version = 0) {
    v1::GetAssignmentRequest request;
    request.set_name("assignments/orders");
    request.set_version(version);
    return assay_.Call<v1::GetAssignmentResponse>(
        Installation::Admin(), "AssignmentService/GetAssignment", request);
  }
};

TEST_F(AssignmentServiceTest, CreatesVersionOne) {
  const auto created = Create(Request("orders"));
  ASSERT_THAT(created, IsOk());
  const v1::Assignment& assignment = created->assignment();
  EXPECT_EQ(assignment.name(), "assignments/orders");
  EXPECT_EQ(assignment.version(), 1);
  EXPECT_EQ(assignment.max_points(), 60);
  EXPECT_EQ(assignment.check_count(), 3);
  EXPECT_EQ(assignment.spec().time_zone(), "UTC");
  EXPECT_EQ(Get()->assignment().ShortDebugString(),
            assignment.ShortDebugString());
  // The plan is where the digest says.
  const auto plan =
      assay_.loop.Await(assay_.parts().blobs->Get(assignment.plan_digest()));
  EXPECT_EQ(*plan, Installation::SomePlan().SerializeAsString());
  EXPECT_EQ(assay_.repositories.templates.count(assignment.template_commit()),
            1);
}

TEST_F(AssignmentServiceTest, ListsEveryMistakeAndStoresNothing) {
  v1::CreateAssignmentRequest request = Request("Bad Slug");
  request.mutable_spec()->clear_title();
  request.mutable_template_()->mutable_files(0)->set_path("../x");
  request.mutable_suite()->clear_files();
  const auto created = Create(request);
  EXPECT_THAT(created, FailsWith(Code::kInvalidArgument, "assignment_id"));
  EXPECT_THAT(created, FailsWith(Code::kInvalidArgument, "title"));
  EXPECT_THAT(created, FailsWith(Code::kInvalidArgument, "template: \"../x\""));
  EXPECT_THAT(created, FailsWith(Code::kInvalidArgument, "assay.yaml:1:1"));
  EXPECT_TRUE(assay_.repositories.templates.empty());
  EXPECT_THAT(Get(), FailsWith(Code::kNotFound));
}

TEST_F(AssignmentServiceTest, ASlugIsTakenOnceAndARepeatIsAnswered) {
  v1::CreateAssignmentRequest request = Request("orders");
  request.set_request_id("r1");
  const auto first = Create(request);
  assay_.clock.Advance(hours(1));
  const auto again = Create(request);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->assignment().ShortDebugString(),
            first->assignment().ShortDebugString());
  v1::CreateAssignmentRequest other = Request("orders");
  v1::FileTree::File* file = other.mutable_template_()->add_files();
  file->set_path("of-nobody");
  file->set_mode(0100644);
  EXPECT_THAT(Create(other), FailsWith(Code::kAlreadyExists, "orders"));
  EXPECT_EQ(assay_.repositories.templates.size(), 1);
}

TEST_F(AssignmentServiceTest, ATemplateThatIsRefusedIsNoAssignment) {
  assay_.repositories.failure =
      Error{Code::kInvalidArgument, "a.txt leads out of the template"};
  EXPECT_THAT(Create(Request("orders")),
              FailsWith(Code::kInvalidArgument, "leads out"));
  EXPECT_THAT(Get(), FailsWith(Code::kNotFound));
}

TEST_F(AssignmentServiceTest, AnUpdateIsTheNextVersionAndKeepsTheRest) {
  const auto first = Create(Request("orders"));
  v1::UpdateAssignmentRequest update;
  update.set_name("assignments/orders");
  update.set_expected_version(1);
  *update.mutable_spec() = Installation::SomeSpec();
  update.mutable_spec()->set_title("Orders, again");
  assay_.clock.Advance(hours(1));
  const auto second = Update(update);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->assignment().version(), 2);
  EXPECT_EQ(second->assignment().plan_digest(),
            first->assignment().plan_digest());
  EXPECT_EQ(second->assignment().max_points(), 60);
  EXPECT_EQ(Get(1)->assignment().spec().title(), "Orders");
  EXPECT_EQ(Get()->assignment().spec().title(), "Orders, again");
  EXPECT_THAT(Update(update), FailsWith(Code::kAborted, "at version 2"));
  EXPECT_THAT(Get(3), FailsWith(Code::kNotFound, "version 3"));
}

TEST_F(AssignmentServiceTest, CountsInvitationsAttemptsAndSubmissions) {
  assay_.MakeAssignment();
  assay_.Accept();
  assay_.Begin();
  assay_.Push(assay_.Begin(), 'a');
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 2);
  const v1::Assignment assignment = Get()->assignment();
  EXPECT_EQ(assignment.invitation_count(), 3);
  EXPECT_EQ(assignment.attempt_count(), 3);
  EXPECT_EQ(assignment.submitted_count(), 1) << "one had nothing to hand in";
}

TEST_F(AssignmentServiceTest, ListsNewestFirstByPages) {
  for (const char* slug : {"a", "b", "c"}) {
    ASSERT_THAT(Create(Request(slug)), IsOk());
    assay_.clock.Advance(hours(1));
  }
  v1::ListAssignmentsRequest request;
  request.set_page_size(2);
  const auto list = [&] {
    return assay_
        .Call<v1::ListAssignmentsResponse>(
            Installation::Admin(), "AssignmentService/ListAssignments", request)
        .value();
  };
  const auto first = list();
  ASSERT_EQ(first.assignments_size(), 2);
  EXPECT_EQ(first.assignments(0).name(), "assignments/c");
  request.set_page_token(first.next_page_token());
  const auto second = list();
  ASSERT_EQ(second.assignments_size(), 1);
  EXPECT_EQ(second.assignments(0).name(), "assignments/a");
  EXPECT_EQ(second.next_page_token(), "");
}

}  // namespace
}  // namespace assay::assignments
