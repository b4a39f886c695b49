#include "services/attempts/invitees.h"

#include <gmock/gmock.h>

#include "assay/v1/invitation_service.pb.h"
#include "services/attempts/csv.h"
#include "services/rpc/proto_time.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Installation;
using ::testing::IsEmpty;
using testing::IsOk;

TEST(CsvTest, ReadsQuotesLineBreaksAndBothLineEnds) {
  const auto [records, problems] = ParseCsv(
      "\xef\xbb\xbf"
      "a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\n\n,last");
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_EQ(records.size(), 3);
  EXPECT_THAT(records[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(records[1].fields, ElementsAre("x, \"y\"", "two\nlines"));
  EXPECT_THAT(records[2].fields, ElementsAre("", "last"));
  EXPECT_EQ(records[2].line, 5);
}

TEST(CsvTest, NamesTheLineOfEachBadQuoteAndReadsTheOthers) {
  const auto [records, problems] = ParseCsv("a\nb\"c\n\"d\"e\nf\n\"open\ng\n");
  std::vector<std::int32_t> lines;
  for (const CsvProblem& problem : problems) lines.push_back(problem.line);
  EXPECT_THAT(lines, ElementsAre(2, 3, 5));
  std::vector<std::string> read;
  for (const CsvRecord& record : records)
    read.push_back(record.fields[0] + std::to_string(record.line));
  EXPECT_THAT(read, ElementsAre("a1", "f4", "g6"));
}

TEST(InviteesTest, ReadsColumnsInAnyOrder) {
  const InviteeList list = ReadInvitees(
      "email,accommodation,name\nada@x.org,1.5,Ada\n,,\"Doe, Jo\"\n");
  EXPECT_THAT(list.problems, IsEmpty());
  ASSERT_EQ(list.invitees.size(), 2);
  EXPECT_EQ(list.invitees[0].name, "Ada");
  EXPECT_EQ(list.invitees[0].accommodation, 1.5);
  EXPECT_EQ(list.invitees[1].name, "Doe, Jo");
  EXPECT_EQ(list.invitees[1].accommodation, 1.0);
}

TEST(InviteesTest, ListsEveryProblemByItsLine) {
  const InviteeList list = ReadInvitees(
      "name,email,accommodation\n"
      "Ada,ada@x.org,\n"
      ",no@x.org,\n"
      "Bob,not an address,\n"
      "Cy,ada@x.org,\n"
      "Di,di@x.org,fast\n"
      "Ed,ed@x.org,99\n"
      "Flo,flo@x.org\n"
      "Gi \"x\",gi@x.org,\n"
      ",nowhere,0\n"
      "\"Hu\n\x1b[31m\",hu@x.org,\n");
  std::vector<std::int32_t> lines;
  for (const InviteeProblem& problem : list.problems)
    lines.push_back(problem.line);
  EXPECT_THAT(lines, ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(list.problems[2].message, HasSubstr("line 2 already"));
  EXPECT_THAT(list.problems[6].message, HasSubstr("quote inside a field"));
  EXPECT_THAT(list.problems[7].message,
              AllOf(HasSubstr("candidate_name"), HasSubstr("\"nowhere\""),
                    HasSubstr("accommodation")));
  EXPECT_THAT(list.problems[8].message, HasSubstr("one line of text"));
}

TEST(InviteesTest, SaysWhatIsWrongWithTheHeader) {
  const auto problem = [](const std::string& csv) {
    const InviteeList list = ReadInvitees(csv);
    return list.problems.empty() ? "" : list.problems[0].message;
  };
  EXPECT_THAT(problem("name,phone\nAda,1\n"), HasSubstr("phone"));
  EXPECT_THAT(problem("name\nAda\n"), HasSubstr("email"));
  EXPECT_THAT(problem("name,name\nAda,Ada\n"), HasSubstr("twice"));
  EXPECT_THAT(problem(""), HasSubstr("expected a line"));
  EXPECT_THAT(problem(std::string(5 << 20, 'x')), HasSubstr("4 MiB"));
}

class BulkInvitationTest : public testing::ServiceTest {
 protected:
  BulkInvitationTest() { assay_.MakeAssignment(); }

  v1::CreateInvitationsResponse Invite(const std::string& csv, bool dry_run) {
    v1::CreateInvitationsRequest request;
    request.set_assignment("assignments/orders");
    request.set_csv(csv);
    request.set_dry_run(dry_run);
    return assay_
        .Call<v1::CreateInvitationsResponse>(
            Installation::Admin(), "InvitationService/CreateInvitations",
            request)
        .value();
  }
  int Count() {
    return assay_
        .Call<v1::ListInvitationsResponse>(Installation::Admin(),
                                           "InvitationService/ListInvitations",
                                           v1::ListInvitationsRequest())
        ->invitations_size();
  }
};

constexpr char kTwo[] =
    "name,email,accommodation\nAda,a@x.org,2\nBob,b@x.org,\n";

TEST_F(BulkInvitationTest, ADryRunInvitesNobody) {
  const auto response = Invite(kTwo, true);
  EXPECT_EQ(response.rows_size(), 2);
  EXPECT_EQ(response.rows(0).secret(), "");
  EXPECT_EQ(Count(), 0);
}

TEST_F(BulkInvitationTest, OneBadLineInvitesNobody) {
  const auto response = Invite("name,email\nAda,a@x.org\n,b@x.org\n", false);
  ASSERT_EQ(response.problems_size(), 1);
  EXPECT_EQ(response.problems(0).line(), 3);
  EXPECT_EQ(Count(), 0);
}

TEST_F(BulkInvitationTest, InvitesEachWithALinkAndTheirAccommodation) {
  const auto response = Invite(kTwo, false);
  ASSERT_EQ(response.rows_size(), 2);
  EXPECT_EQ(Count(), 2);
  v1::AcceptInvitationRequest accept;
  accept.set_secret(response.rows(0).secret());
  const auto accepted = assay_.Call<v1::AcceptInvitationResponse>(
      {}, "InvitationService/AcceptInvitation", accept);
  ASSERT_THAT(accepted, IsOk());
  EXPECT_EQ(accepted->attempt().clock().accommodation(), 2);
  EXPECT_EQ(accepted->attempt().candidate_name(), "Ada");
}

TEST_F(BulkInvitationTest, ALostLinkIsReplaced) {
  const auto row = Invite(kTwo, false).rows(0);
  v1::ResendInvitationRequest request;
  request.set_name(row.invitation().name());
  assay_.clock.Advance(std::chrono::days(40));  // expired meanwhile
  const auto resent = assay_.Call<v1::ResendInvitationResponse>(
      Installation::Admin(), "InvitationService/ResendInvitation", request);
  ASSERT_THAT(resent, IsOk());
  EXPECT_GT(rpc::FromProto(resent->invitation().expire_time()),
            assay_.clock.Now());
  v1::AcceptInvitationRequest accept;
  accept.set_secret(row.secret());
  EXPECT_THAT(assay_.Call<v1::AcceptInvitationResponse>(
                  {}, "InvitationService/AcceptInvitation", accept),
              FailsWith(Code::kUnauthenticated));
  accept.set_secret(resent->secret());
  EXPECT_THAT(assay_.Call<v1::AcceptInvitationResponse>(
                  {}, "InvitationService/AcceptInvitation", accept),
              IsOk());
  v1::RevokeInvitationRequest revoke;
  revoke.set_name(
      Invite("name,email\nCy,\n", false).rows(0).invitation().name());
  ASSERT_THAT(
      assay_.Call<v1::RevokeInvitationResponse>(
          Installation::Admin(), "InvitationService/RevokeInvitation", revoke),
      IsOk());
  request.set_name(revoke.name());
  EXPECT_THAT(
      assay_.Call<v1::ResendInvitationResponse>(
          Installation::Admin(), "InvitationService/ResendInvitation", request),
      FailsWith(Code::kFailedPrecondition, "withdrawn"));
}

}  // namespace
}  // namespace assay::attempts
