// gRPC steps against a server of gRPC's own, and against what is none.

#include <gmock/gmock.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <memory>

#include "runner/steps/grpc_frames.h"
#include "runner/steps/grpc_schema.h"
#include "tests/runner/steps/orders.grpc.pb.h"
#include "tests/runner/steps/scripted_server.h"
#include "tests/runner/steps/step_fixture.h"

namespace assay::tests {
namespace {

using grpc::ServerContext;
using grpc::Status;
using testing::ElementsAre;
using testing::HasSubstr;

class Orders final : public orders::v1::Orders::Service {
 public:
  Status Get(ServerContext* context, const orders::v1::Key* key,
             orders::v1::Order* order) override {
    if (key->id() == 0) return {grpc::StatusCode::NOT_FOUND, "no order 0"};
    const auto tenant = context->client_metadata().find("tenant");
    order->set_id(key->id());
    order->set_sku(
        tenant == context->client_metadata().end()
            ? "A-1"
            : std::string(tenant->second.begin(), tenant->second.end()));
    return Status::OK;
  }
  Status List(ServerContext*, const orders::v1::Key* key,
              grpc::ServerWriter<orders::v1::Order>* writer) override {
    for (int i = 1; i <= key->id(); ++i) {
      orders::v1::Order order;
      order.set_id(i);
      writer->Write(order);
    }
    return Status::OK;
  }
  Status Sum(ServerContext*, grpc::ServerReader<orders::v1::Key>* reader,
             orders::v1::Order* order) override {
    orders::v1::Key key;
    while (reader->Read(&key)) order->set_id(order->id() + key.id());
    return Status::OK;
  }
};

class GrpcStepTest : public StepFixture {
 protected:
  static void SetUpTestSuite() {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    static Orders service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart().release();
  }
  static void TearDownTestSuite() {
    server_->Shutdown(std::chrono::system_clock::now());
    delete server_;
  }
  steps::Outcome RunGrpc(const std::string& steps, Files files = {}) {
    return RunSteps(static_cast<std::uint16_t>(port_), steps, std::move(files));
  }

  inline static grpc::Server* server_ = nullptr;
  inline static int port_ = 0;
};

constexpr const char* kProto = R"(
syntax = "proto3";
package orders.v1;
import "keys.proto";
import "google/protobuf/timestamp.proto";
message Order { int64 id = 1; string sku = 2; google.protobuf.Timestamp made = 3; }
service Orders { rpc Get(Key) returns (Order); }
)";

TEST_F(GrpcStepTest, CallsByReflection) {
  const auto outcome = RunGrpc(R"(
      - grpc: orders.v1.Orders/Get
        metadata: { tenant: acme }
        json: { id: 7 }
        expect: { json: { $.id: "7", $.sku: acme }, within: 3s }
        capture: { id: $.id }
      - grpc: orders.v1.Orders/Get
        json: { id: 0 }
        expect: { status: NOT_FOUND }
      - grpc: orders.v1.Orders/List
        json: { id: 3 }
        expect: { json: { "$[*].id": { count: 3 }, "$[2].id": "3" } }
      - grpc: orders.v1.Orders/Sum
        json: [ { id: "{{id}}" }, { id: 5 } ]
        expect: { json: { $.id: "12" } }
)");
  EXPECT_TRUE(outcome.passed()) << outcome.reason;
}

TEST_F(GrpcStepTest, CallsByAProtoOfTheSuite) {
  const auto outcome =
      RunGrpc(R"(
      - grpc: orders.v1.Orders/Get
        proto: api/orders.proto
        json: { id: 7 }
        expect: { json: { $.id: "7" } }
      - grpc: orders.v1.Orders/Get
        proto: api/orders.proto
        json: { id: 0 }
        expect: { status: NOT_FOUND }
)",
              {{"api/orders.proto", kProto},
               {"api/keys.proto",
                "syntax = \"proto3\"; package orders.v1; message Key { int64 "
                "id = 1; }"}});
  EXPECT_TRUE(outcome.passed()) << outcome.reason;
}

TEST_F(GrpcStepTest, SaysWhatWasWrong) {
  EXPECT_THAT(RunGrpc("      - { grpc: orders.v1.Orders/Get, json: { id: 0 } "
                      "}\n")
                  .reason,
              HasSubstr("expected status OK, got NOT_FOUND: no order 0"));
  EXPECT_THAT(RunGrpc("      - { grpc: orders.v1.Orders/Nope }\n").reason,
              HasSubstr("has no method Nope; it has Get, List, Sum"));
  EXPECT_THAT(RunGrpc("      - { grpc: nope.v1.Nope/Get }\n").reason,
              HasSubstr("by its reflection, the service does not have nope"));
  EXPECT_THAT(
      RunGrpc("      - { grpc: orders.v1.Orders/Get, json: { nope: 1 } }\n")
          .reason,
      HasSubstr("not a orders.v1.Key"));
}

TEST_F(GrpcStepTest, WhatIsNoGrpcIsAFailureInTime) {
  ScriptedServer plain([](const std::string&, int fd) {
    return ScriptedServer::Write(
        fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const std::string step = "      - { grpc: a.B/C, timeout: 300ms }\n";
  EXPECT_EQ(RunSteps(plain.port(), step).verdict, v1::VERDICT_FAILED);
  ScriptedServer silent([](const std::string&, int) { return true; });
  EXPECT_EQ(RunSteps(silent.port(), step).verdict, v1::VERDICT_TIMED_OUT);
}

TEST(GrpcFramesTest, CutsBodiesIntoMessages) {
  using steps::FrameMessage;
  using steps::ReadFrames;
  const std::string body =
      FrameMessage("one") + FrameMessage("") + FrameMessage("three");
  EXPECT_THAT(ReadFrames(body).value(), ElementsAre("one", "", "three"));
  for (std::size_t cut : {1UL, 4UL, 7UL}) {
    EXPECT_FALSE(ReadFrames(body.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(ReadFrames(std::string("\1\0\0\0\0", 5)).has_value());
  EXPECT_EQ(steps::DecodeGrpcMessage("a%20b%zz%"), "a b%zz%");
}

TEST(GrpcSchemaTest, GarbageAboutAServiceIsRefused) {
  steps::GrpcSchema schema;
  EXPECT_FALSE(schema.AddDescriptor("garbage").has_value());
  EXPECT_FALSE(schema.AddDescriptor("").has_value());
  EXPECT_FALSE(schema.Find("a.B/C").has_value());
  EXPECT_FALSE(steps::ReadReflection("\xff\xff\xff").has_value());
  EXPECT_FALSE(steps::ReadReflection("").has_value());
}

}  // namespace
}  // namespace assay::tests
