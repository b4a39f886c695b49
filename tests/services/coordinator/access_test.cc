#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <map>
#include <set>

#include "assay/v1/access.pb.h"
#include "assay/v1/account_service.grpc.pb.h"
#include "assay/v1/submission_service.grpc.pb.h"
#include "assay/v1/system_service.grpc.pb.h"
#include "services/rpc/method_registry.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/testing/corpora.h"

// Every method of every service, as every role and as nobody, on both gates.
// What is expected comes from the protos, so that a new method is held to its
// option from its first day.

namespace assay::testing {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;

constexpr v1::Role kRoles[] = {v1::ROLE_UNSPECIFIED, v1::ROLE_ADMIN,
                               v1::ROLE_AUTHOR,      v1::ROLE_REVIEWER,
                               v1::ROLE_OBSERVER,    v1::ROLE_CANDIDATE,
                               v1::ROLE_WORKER};

// What a gate said, as far as access is concerned.
enum class Answer { kLetIn, kUnauthenticated, kPermissionDenied };

Answer Expectation(const v1::Access& access, v1::Role role) {
  if (access.anyone()) return Answer::kLetIn;
  if (role == v1::ROLE_UNSPECIFIED) return Answer::kUnauthenticated;
  return std::ranges::find(access.roles(), role) != access.roles().end()
             ? Answer::kLetIn
             : Answer::kPermissionDenied;
}

class AccessTest : public ServerFixture {
 protected:
  AccessTest() {
    MakeAssignment();
    tokens_[v1::ROLE_CANDIDATE] = MakeAttempt().token;
    const auto system = v1::SystemService::NewStub(channel());
    for (const v1::Role role : kRoles) {
      if (role == v1::ROLE_UNSPECIFIED || role == v1::ROLE_CANDIDATE) continue;
      v1::CreateTokenRequest request;
      request.set_role(role);
      request.set_label("test");
      v1::CreateTokenResponse response;
      const auto status =
          system->CreateToken(As(AdminToken()).get(), request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      tokens_[role] = response.token();
    }
  }

  Answer OverGrpc(const std::string& method, const std::string& token) {
    grpc::GenericStub stub(channel());
    const auto context = As(token);
    // A stream that is let in may stay open; what counts is how it begins.
    context->set_deadline(std::chrono::system_clock::now() +
                          std::chrono::milliseconds(300));
    grpc::ByteBuffer request, response;
    std::promise<grpc::Status> done;
    grpc::Slice nothing("");
    request = grpc::ByteBuffer(&nothing, 1);
    stub.UnaryCall(context.get(), "/" + method, {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(status); });
    switch (done.get_future().get().error_code()) {
      case grpc::StatusCode::UNAUTHENTICATED:
        return Answer::kUnauthenticated;
      case grpc::StatusCode::PERMISSION_DENIED:
        return Answer::kPermissionDenied;
      default:
        return Answer::kLetIn;
    }
  }

  // `prototype` with each name that it can hold; null where it holds none.
  static std::unique_ptr<google::protobuf::Message> Fill(
      const std::string& method, const google::protobuf::Message& prototype,
      const std::map<std::string, std::string>& names,
      const std::string& commit) {
    const std::size_t dot = method.rfind('.') + 1;
    const std::string service = method.substr(dot, method.find('/') - dot);
    std::unique_ptr<google::protobuf::Message> request(prototype.New());
    bool named = false;
    const auto* type = request->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* field = type->field(i);
      if (field->is_repeated() ||
          field->cpp_type() !=
              google::protobuf::FieldDescriptor::CPPTYPE_STRING)
        continue;
      auto it = names.find(field->name());
      if (it == names.end()) it = names.find(service + "." + field->name());
      if (it != names.end()) {
        request->GetReflection()->SetString(request.get(), field, it->second);
        named = true;
      } else if (field->name() == "commit" || field->name() == "new_commit") {
        request->GetReflection()->SetString(request.get(), field, commit);
      } else if (field->name() == "text") {
        request->GetReflection()->SetString(request.get(), field, "May I?");
      }
    }
    return named ? std::move(request) : nullptr;
  }

  grpc::StatusCode CodeOf(const std::string& method, const std::string& token,
                          const google::protobuf::Message& message,
                          std::chrono::milliseconds timeout) {
    grpc::GenericStub stub(channel());
    const auto context = As(token);
    context->set_deadline(std::chrono::system_clock::now() + timeout);
    const std::string bytes = message.SerializeAsString();
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1), response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(context.get(), "/" + method, {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(status); });
    return done.get_future().get().error_code();
  }

  Answer OverConnect(const std::string& method, bool streams,
                     const std::string& token, const std::string& more = "") {
    std::string fields = "Connect-Timeout-Ms: 300\r\n" + more;
    if (!token.empty()) fields += "Authorization: Bearer " + token + "\r\n";
    const std::string body =
        streams ? std::string("\0\0\0\0\2{}", 7) : std::string("{}");
    const std::string response =
        Exchange(web_port(),
                 Post("/" + method,
                      streams ? "application/connect+json" : "application/json",
                      body, fields));
    if (response.find("\"unauthenticated\"") != std::string::npos)
      return Answer::kUnauthenticated;
    if (response.find("\"permission_denied\"") != std::string::npos)
      return Answer::kPermissionDenied;
    return Answer::kLetIn;
  }

  std::map<v1::Role, std::string> tokens_{{v1::ROLE_UNSPECIFIED, ""}};
};

TEST_F(AccessTest, EveryMethodLetsInExactlyTheRolesOfItsProto) {
  for (const auto& [name, method] : coordinator().methods().methods()) {
    for (const v1::Role role : kRoles) {
      const std::string what = name + " as " + v1::Role_Name(role);
      // These do not need what they name: an empty secret opens nothing.
      if (method.access.anyone()) continue;
      const Answer expected = Expectation(method.access, role);
      EXPECT_EQ(OverGrpc(name, tokens_[role]), expected) << what << ", gRPC";
      EXPECT_EQ(OverConnect(name, method.server_streaming, tokens_[role]),
                expected)
          << what << ", Connect";
    }
  }
}

// The services are found as the protos' files, so that a new one that nobody
// registers fails here.
TEST_F(AccessTest, EveryPublicMethodIsServed) {
  std::set<std::string> declared;
  const std::filesystem::path source = SourceRoot();
  for (const auto& entry :
       std::filesystem::directory_iterator(source / "proto/assay/v1")) {
    const std::string file = "assay/v1/" + entry.path().filename().string();
    if (!file.ends_with("_service.proto")) continue;
    const auto* descriptor =
        DescriptorPool::generated_pool()->FindFileByName(file);
    ASSERT_NE(descriptor, nullptr) << file;
    for (int i = 0; i < descriptor->service_count(); ++i)
      for (int k = 0; k < descriptor->service(i)->method_count(); ++k)
        declared.insert(descriptor->service(i)->full_name() + "/" +
                        descriptor->service(i)->method(k)->name());
  }
  std::set<std::string> served;
  for (const auto& [name, method] : coordinator().methods().methods())
    served.insert(name);
  EXPECT_EQ(served, declared);
}

// The names of what one candidate has, by the field of a request that they may
// stand in. "name" means something else in each service.
std::map<std::string, std::string> NamesOf(const StartedAttempt& attempt,
                                           const std::string& run) {
  return {{"AttemptService.name", attempt.name},
          {"RunService.name", run},
          {"attempt", attempt.name},
          {"submission", attempt.name + "/submissions/1"}};
}

// Every method that candidates may call, with the names of another's objects
// and with their own: the first is as if there were none. A method whose
// request names nothing that is known here fails, so that none is forgotten.
TEST_F(AccessTest, CandidatesReachTheirOwnObjectsOnly) {
  const StartedAttempt own = MakeAttempt();
  const StartedAttempt other = MakeAttempt();
  std::map<std::string, std::string> runs;
  for (const StartedAttempt* attempt : {&own, &other}) {
    Git("clone -q " + attempt->private_url + " work");
    Commit("a.txt", attempt->name);
    Git("-C work push -q origin HEAD");
    Git("-C work status");
    std::filesystem::remove_all(directory_.path() / "work");
    runs[attempt->name] = Pushes(*attempt).at(0).run();
    v1::CreateSubmissionRequest submit;
    submit.set_attempt(attempt->name);
    v1::CreateSubmissionResponse submitted;
    const auto status =
        v1::SubmissionService::NewStub(channel())->CreateSubmission(
            As(attempt->token).get(), submit, &submitted);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  const std::string commit = Pushes(own).at(0).new_commit();
  int checked = 0;
  for (const auto& [name, method] : coordinator().methods().methods()) {
    if (Expectation(method.access, v1::ROLE_CANDIDATE) != Answer::kLetIn ||
        method.access.anyone())
      continue;
    for (const bool mine : {true, false}) {
      const StartedAttempt& whose = mine ? own : other;
      const auto request = Fill(name, *method.request_prototype,
                                NamesOf(whose, runs[whose.name]), commit);
      ASSERT_NE(request, nullptr) << name << " names no object known here";
      // A stream of one's own stays open; everything else has an end.
      const std::chrono::milliseconds timeout(
          mine && method.server_streaming ? 300 : 20'000);
      const grpc::StatusCode code = CodeOf(name, own.token, *request, timeout);
      if (mine) {
        EXPECT_NE(code, grpc::StatusCode::NOT_FOUND) << name;
        EXPECT_NE(code, grpc::StatusCode::PERMISSION_DENIED) << name;
      } else {
        EXPECT_EQ(code, grpc::StatusCode::NOT_FOUND) << name;
      }
    }
    ++checked;
  }
  EXPECT_GE(checked, 15);
}

// The same roles by password: what a session opens is what its role opens.
TEST_F(AccessTest, ASessionOpensWhatItsAccountsRoleOpens) {
  const auto accounts = v1::AccountService::NewStub(channel());
  for (const v1::Role role : {v1::ROLE_ADMIN, v1::ROLE_AUTHOR,
                              v1::ROLE_REVIEWER, v1::ROLE_OBSERVER}) {
    v1::CreateAccountRequest create;
    create.set_account_id("user" + std::to_string(role));
    create.set_role(role);
    create.set_password("a long password");
    v1::CreateAccountResponse created;
    ASSERT_TRUE(
        accounts->CreateAccount(As(AdminToken()).get(), create, &created).ok());
    const std::string signed_in = Exchange(
        web_port(), Post("/assay.v1.AccountService/SignIn", "application/json",
                         "{\"accountId\":\"" + create.account_id() +
                             "\",\"password\":\"a long password\"}",
                         ""));
    const std::size_t at = signed_in.find("assay_session=");
    ASSERT_NE(at, std::string::npos) << signed_in;
    EXPECT_EQ(signed_in.find("sessionSecret"), std::string::npos);
    const std::string cookie =
        "Cookie: " + signed_in.substr(at, signed_in.find(';', at) - at) +
        "\r\n";
    const std::string origin = "Origin: http://localhost\r\n";
    for (const auto& [name, method] : coordinator().methods().methods()) {
      // It would end the session that the others are tried with.
      if (method.access.anyone() || name.ends_with("/SignOut")) continue;
      const std::string what = name + " as " + v1::Role_Name(role);
      EXPECT_EQ(OverConnect(name, method.server_streaming, "", cookie + origin),
                Expectation(method.access, role))
          << what;
      EXPECT_EQ(OverConnect(name, method.server_streaming, "", cookie),
                Answer::kPermissionDenied)
          << what << ", without an origin";
    }
  }
}

TEST_F(AccessTest, LeasesAreForWorkersAndForGrpcOnly) {
  const std::string method = "assay.runner.v1.LeaseService/Attach";
  for (const v1::Role role : kRoles) {
    const Answer expected =
        role == v1::ROLE_UNSPECIFIED ? Answer::kUnauthenticated
        : role == v1::ROLE_WORKER    ? Answer::kLetIn
                                     : Answer::kPermissionDenied;
    EXPECT_EQ(OverGrpc(method, tokens_[role]), expected) << v1::Role_Name(role);
  }
  EXPECT_EQ(
      StatusOf(Exchange(
          web_port(), Post("/" + method, "application/connect+json", "", ""))),
      404);
}

}  // namespace
}  // namespace assay::testing
