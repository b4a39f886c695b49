#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <future>
#include <map>
#include <set>

#include "assay/runner/v1/lease_service.pb.h"
#include "assay/v1/access.pb.h"
#include "assay/v1/invitation_service.grpc.pb.h"
#include "assay/v1/notification_service.grpc.pb.h"
#include "assay/v1/question_service.grpc.pb.h"
#include "assay/v1/submission_service.grpc.pb.h"
#include "assay/v1/system_service.grpc.pb.h"
#include "services/rpc/method_registry.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/testing/corpora.h"

// docs/reference/access.md against the server: each method as each role, with
// the names of one's own objects and of another's, on both gates, and what the
// answers may not hold.

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The columns of the page.
constexpr std::array kColumns = {
    v1::ROLE_ADMIN,     v1::ROLE_AUTHOR, v1::ROLE_REVIEWER, v1::ROLE_OBSERVER,
    v1::ROLE_CANDIDATE, v1::ROLE_WORKER, v1::ROLE_NODE};

using Row = std::map<v1::Role, std::string>;

// "assay.v1.RunService/GetRun" and its cells.
std::map<std::string, Row> ReadPage() {
  std::map<std::string, Row> rows;
  std::ifstream page(std::filesystem::path(SourceRoot()) /
                     "docs/reference/access.md");
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.find("Service/") == std::string::npos)
      continue;
    std::istringstream words(line);
    std::string bar, method, cell;
    words >> bar >> method;
    const bool lease = method.starts_with("LeaseService");
    Row& row = rows[(lease ? "assay.runner.v1." : "assay.v1.") + method];
    for (const v1::Role role : kColumns) words >> bar >> row[role];
  }
  return rows;
}

bool Admits(const v1::Access& access, v1::Role role) {
  return access.anyone() ||
         std::ranges::find(access.roles(), role) != access.roles().end();
}

// What one candidate has, by the field of a request that names it. "name" means
// something else in each service.
using Names = std::map<std::string, std::string>;

class AccessMatrixTest : public ServerFixture {
 protected:
  struct Candidate {
    StartedAttempt attempt;
    std::string person;  // their first name, which is in their address too
    std::string question;
    std::string commit;
    Names names;
  };

  AccessMatrixTest() {
    MakeAssignment();
    own_ = MakeCandidate("Zephyrine", "May I use a queue?");
    other_ = MakeCandidate("Quentissa", "May I use a cache?");
    tokens_[v1::ROLE_CANDIDATE] = own_.attempt.token;
    for (const v1::Role role : kColumns)
      if (role != v1::ROLE_CANDIDATE) tokens_[role] = TokenOf(role);
  }

  // Somebody who has pushed, asked and handed in.
  Candidate MakeCandidate(const std::string& person, const std::string& text) {
    Candidate made{.attempt = MakeAttempt(person + " Canary"),
                   .person = person};
    const std::string& name = made.attempt.name;
    const auto as = [&] { return As(made.attempt.token); };
    Git("clone -q " + made.attempt.private_url + " work");
    Commit("a.txt", text);
    Git("-C work commit -q --amend --no-edit --author='" + person +
        " Canary <" + person + "@example.test>'");
    Git("-C work push -q origin HEAD");
    std::filesystem::remove_all(directory_.path() / "work");
    const v1::Push push = Pushes(made.attempt).at(0);
    made.commit = push.new_commit();

    v1::AskQuestionRequest ask;
    ask.set_attempt(name);
    ask.set_text(text);
    v1::AskQuestionResponse asked;
    EXPECT_TRUE(v1::QuestionService::NewStub(channel())
                    ->AskQuestion(as().get(), ask, &asked)
                    .ok());
    made.question = asked.question().name();
    v1::CreateSubmissionRequest submit;
    submit.set_attempt(name);
    v1::CreateSubmissionResponse submitted;
    EXPECT_TRUE(v1::SubmissionService::NewStub(channel())
                    ->CreateSubmission(as().get(), submit, &submitted)
                    .ok());
    made.names = {{"AttemptService.name", name},
                  {"attempt", name},
                  {"RunService.name", push.run()},
                  {"run", push.run()},
                  {"QuestionService.name", made.question},
                  {"InvitationService.name", InvitationOf(name)},
                  {"submission", name + "/submissions/1"}};
    return made;
  }

  std::string InvitationOf(const std::string& attempt) {
    v1::ListInvitationsRequest request;
    request.set_assignment("assignments/task");
    v1::ListInvitationsResponse response;
    EXPECT_TRUE(
        v1::InvitationService::NewStub(channel())
            ->ListInvitations(As(AdminToken()).get(), request, &response)
            .ok());
    for (const v1::Invitation& invitation : response.invitations())
      if (invitation.attempt() == attempt) return invitation.name();
    ADD_FAILURE() << "no invitation of " << attempt;
    return "";
  }

  // A request with each name that it can hold; `personal` says whether one of
  // them is the candidate's.
  static std::unique_ptr<google::protobuf::Message> Fill(
      const rpc::Method& method, const Candidate& whose, bool* personal) {
    static const Names kShared = {
        {"AssignmentService.name", "assignments/task"},
        {"SuiteService.name", "assignments/task"},
        {"assignment", "assignments/task"}};
    const std::size_t dot = method.full_name.rfind('.') + 1;
    const std::string service =
        method.full_name.substr(dot, method.full_name.find('/') - dot);
    std::unique_ptr<google::protobuf::Message> request(
        method.request_prototype->New());
    *personal = false;
    const auto* type = request->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* field = type->field(i);
      if (field->is_repeated() ||
          field->cpp_type() !=
              google::protobuf::FieldDescriptor::CPPTYPE_STRING)
        continue;
      const auto set = [&](const std::string& value) {
        request->GetReflection()->SetString(request.get(), field, value);
      };
      for (const std::string& key :
           {field->name(), service + "." + field->name()}) {
        if (const auto it = whose.names.find(key); it != whose.names.end()) {
          set(it->second);
          *personal = true;
        } else if (const auto shared = kShared.find(key);
                   shared != kShared.end()) {
          set(shared->second);
        }
      }
      if (field->name() == "commit" || field->name() == "new_commit")
        set(whose.commit);
      if (field->name() == "text") set("May I?");
    }
    return request;
  }

  // A stream that opens is not waited for; a refusal is, however slow.
  static int TimeoutMs(const rpc::Method& method, bool opens) {
    return method.server_streaming && opens ? 60 : 20'000;
  }

  std::string OverGrpc(const rpc::Method& method, v1::Role role,
                       const google::protobuf::Message& message, bool opens) {
    grpc::GenericStub stub(channel());
    const auto context = As(tokens_[role]);
    context->set_deadline(std::chrono::system_clock::now() +
                          std::chrono::milliseconds(TimeoutMs(method, opens)));
    const std::string bytes = message.SerializeAsString();
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1), response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(context.get(), "/" + method.full_name, {}, &request,
                   &response,
                   [&](grpc::Status status) { done.set_value(status); });
    switch (done.get_future().get().error_code()) {
      case grpc::StatusCode::NOT_FOUND:
        return "not_found";
      case grpc::StatusCode::PERMISSION_DENIED:
        return "permission_denied";
      case grpc::StatusCode::UNAUTHENTICATED:
        return "unauthenticated";
      default:
        return "let in";
    }
  }

  // The whole answer, with its head.
  std::string Post(const rpc::Method& method, v1::Role role,
                   const google::protobuf::Message& message,
                   bool opens = true) {
    std::string body;
    EXPECT_TRUE(
        google::protobuf::util::MessageToJsonString(message, &body).ok());
    if (method.server_streaming) {
      const auto size = static_cast<char>(body.size());
      EXPECT_LT(body.size(), 128U);
      body = std::string("\0\0\0\0", 4) + size + body;
    }
    return Exchange(
        web_port(),
        testing::Post(
            "/" + method.full_name,
            method.server_streaming ? "application/connect+json"
                                    : "application/json",
            body,
            "Connect-Timeout-Ms: " + std::to_string(TimeoutMs(method, opens)) +
                "\r\nAuthorization: Bearer " + tokens_[role] + "\r\n"));
  }

  static std::string CodeIn(const std::string& answer) {
    for (const char* code :
         {"not_found", "permission_denied", "unauthenticated"})
      if (answer.find("\"code\":\"" + std::string(code)) != std::string::npos)
        return code;
    return "let in";
  }

  const std::map<std::string, Row> page_ = ReadPage();
  std::map<v1::Role, std::string> tokens_;
  Candidate own_;
  Candidate other_;
};

TEST_F(AccessMatrixTest, ThePageHasALineForEachMethodAndSaysWhatItsProtoSays) {
  std::map<std::string, v1::Access> served;
  for (const auto& [name, method] : coordinator().methods().methods())
    served[name] = method.access;
  // Served by gRPC alone, and not from the table of methods.
  const auto* lease =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
          "assay.runner.v1.LeaseService.Attach");
  ASSERT_NE(lease, nullptr);
  served["assay.runner.v1.LeaseService/Attach"] =
      lease->options().GetExtension(v1::access);

  for (const auto& [name, row] : page_)
    EXPECT_TRUE(served.contains(name)) << name << " is on the page only";
  for (const auto& [name, access] : served) {
    ASSERT_TRUE(page_.contains(name))
        << name << " has no line in docs/reference/access.md";
    for (const v1::Role role : kColumns) {
      const std::string& cell = page_.at(name).at(role);
      const std::string what = name + " as " + v1::Role_Name(role);
      EXPECT_EQ(cell != "-", Admits(access, role)) << what;
      if (role == v1::ROLE_CANDIDATE)
        EXPECT_NE(cell, "blind") << what;
      else
        EXPECT_NE(cell, "own") << what;
    }
  }
}

// Which of "own" and the rest a cell is, on both gates.
TEST_F(AccessMatrixTest, OwnAndOthersObjectsAnswerAsThePageSays) {
  int own_only = 0;
  int whole = 0;
  for (const auto& [name, method] : coordinator().methods().methods()) {
    if (method.access.anyone()) continue;
    for (const v1::Role role : kColumns) {
      const std::string& cell = page_.at(name).at(role);
      if (cell == "-") continue;  // AccessTest asks for those
      for (const bool mine : {true, false}) {
        bool personal = false;
        const auto request = Fill(method, mine ? own_ : other_, &personal);
        if (!personal) {
          // So that no method of candidates is forgotten.
          EXPECT_NE(cell, "own") << name << " names no object known here";
          continue;
        }
        const std::string what = name + " as " + v1::Role_Name(role) +
                                 (mine ? ", own" : ", another's");
        const std::string expected =
            cell == "own" && !mine ? "not_found"
            // Whoever asks by attempt is told who asks.
            : name.ends_with("/ListQuestions") && cell == "unasked"
                ? "permission_denied"
                : "let in";
        const bool opens = expected == "let in";
        EXPECT_EQ(OverGrpc(method, role, *request, opens), expected)
            << what << ", gRPC";
        EXPECT_EQ(CodeIn(Post(method, role, *request, opens)), expected)
            << what << ", Connect";
        ++(cell == "own" ? own_only : whole);
      }
    }
  }
  EXPECT_GE(own_only, 30);
  EXPECT_GE(whole, 60);
}

// What no answer to a role may hold. Methods that change something come as
// well: they answer with what they have changed.
TEST_F(AccessMatrixTest, AnswersHoldNothingThatTheirReaderMayNotKnow) {
  int named = 0;
  for (const auto& [name, method] : coordinator().methods().methods()) {
    if (method.access.anyone()) continue;
    for (const v1::Role role : kColumns) {
      const std::string& cell = page_.at(name).at(role);
      if (cell == "-") continue;
      bool personal = false;
      auto request = Fill(method, own_, &personal);
      if (name.ends_with("/ListQuestions") && cell == "unasked") {
        const auto* type = request->GetDescriptor();
        request->GetReflection()->ClearField(request.get(),
                                             type->FindFieldByName("attempt"));
      }
      const std::string answer = Post(method, role, *request);
      SCOPED_TRACE(name + " as " + v1::Role_Name(role));
      for (const Candidate* one : {&own_, &other_})
        EXPECT_THAT(answer, Not(HasSubstr(one->attempt.git_password)));
      for (const auto& [who, token] : tokens_)
        EXPECT_THAT(answer, Not(HasSubstr(token)));
      EXPECT_THAT(answer, Not(HasSubstr("$argon2id")));
      if (cell == "yes" && answer.find(own_.person) != std::string::npos)
        ++named;
      if (cell == "blind")
        for (const Candidate* one : {&own_, &other_})
          EXPECT_THAT(answer, Not(HasSubstr(one->person)));
      if (role == v1::ROLE_OBSERVER)
        EXPECT_THAT(answer, Not(HasSubstr("att_")));
      if (cell == "unasked") {
        // Not with the attempt in what comes back, and not by asking for it.
        if (answer.find(own_.question) != std::string::npos)
          EXPECT_THAT(answer, Not(HasSubstr(own_.attempt.name)));
        if (personal && name.find("Question") == std::string::npos)
          EXPECT_THAT(answer, Not(HasSubstr("question")));
        EXPECT_THAT(answer, Not(HasSubstr("\"kind\":\"KIND_QUESTION\","
                                          "\"assignment\":\"assignments/task\""
                                          ",\"attempt\"")));
      }
      if (cell == "own") {
        EXPECT_THAT(answer, Not(HasSubstr(other_.attempt.name)));
        EXPECT_THAT(answer, Not(HasSubstr(other_.person)));
        EXPECT_THAT(answer, Not(HasSubstr("May I use a cache?")));
        EXPECT_THAT(answer, Not(HasSubstr("secret canary")));
        EXPECT_THAT(answer, Not(HasSubstr("unseen")));
      }
    }
  }
  // The names are there to be seen.
  EXPECT_GE(named, 5);
}

}  // namespace
}  // namespace assay::testing
