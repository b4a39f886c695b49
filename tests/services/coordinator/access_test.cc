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
                               v1::ROLE_WORKER,      v1::ROLE_NODE};

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
    for (const v1::Role role : kRoles)
      if (role != v1::ROLE_UNSPECIFIED && role != v1::ROLE_CANDIDATE)
        tokens_[role] = TokenOf(role);
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
