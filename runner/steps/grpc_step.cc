#include "runner/steps/grpc_step.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "runner/assertions/evaluator.h"
#include "runner/steps/grpc_frames.h"
#include "runner/steps/grpc_schema.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::GrpcStep;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kUnimplemented = 12;
// Questions to a service about itself.
constexpr int kMostQuestions = 50;

// What came of a call.
struct Answer {
  // Set where there was no answer in the sense of gRPC.
  std::optional<Outcome> problem;
  int code = 0;
  std::string message;
  std::vector<std::string> messages;
  std::chrono::microseconds took{0};
};

class Caller {
 public:
  Caller(const GrpcStep& step, Frame& frame, HttpSteps& http,
         HttpClient& client, steady_clock::time_point deadline)
      : step_(step),
        frame_(frame),
        http_(http),
        client_(client),
        deadline_(deadline) {
    target_.set_service(step.service());
  }

  asio::awaitable<Answer> Call(std::string method, std::string body,
                               bool with_metadata) {
    HttpRequest request{
        .method = "POST",
        .target = "/" + method,
        .headers = {{"content-type", "application/grpc"}, {"te", "trailers"}},
        .body = std::move(body),
        .http2 = true,
        .body_limit = http_.plan().limits().body_bytes()};
    request.timeout =
        std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(
                                      deadline_ - steady_clock::now()));
    request.headers.emplace_back("grpc-timeout",
                                 std::to_string(request.timeout.count()) + "m");
    if (with_metadata) {
      for (const auto& header : step_.metadata()) {
        auto value = suite::ExpandText(header.value(), frame_.scope);
        if (!value) co_return Answer{.problem = Failed(value.error().message)};
        request.headers.emplace_back(header.name(), *std::move(value));
      }
    }
    HttpResult result =
        co_await http_.Send(target_, std::move(request), client_, frame_.span);
    if (result.kind != HttpResult::Kind::kAnswered) {
      co_return Answer{.problem =
                           co_await http_.Explain(target_, std::move(result))};
    }
    co_return Read(result.answer);
  }

 private:
  static Answer Read(const assertions::HttpAnswer& from) {
    Answer answer{.took = from.duration};
    std::optional<int> code;
    for (const auto& [name, value] : from.headers) {
      if (name == "grpc-status") {
        int number = -1;
        std::from_chars(value.data(), value.data() + value.size(), number);
        code = number;
      }
      if (name == "grpc-message") answer.message = DecodeGrpcMessage(value);
    }
    if (!code || *code < 0) {
      answer.problem =
          Failed("the answer is not one of gRPC: HTTP status " +
                 std::to_string(from.status) + " without a grpc-status");
      return answer;
    }
    answer.code = *code;
    auto messages = ReadFrames(from.body);
    if (messages) {
      answer.messages = *std::move(messages);
    } else {
      answer.problem =
          Failed("the answer is not one of gRPC: " + messages.error().message);
    }
    return answer;
  }

  const GrpcStep& step_;
  Frame& frame_;
  HttpSteps& http_;
  HttpClient& client_;
  const steady_clock::time_point deadline_;
  // For explanations.
  assay::plan::v1::HttpStep target_;
};

// Asks the service about itself; nothing: `schema` knows.
asio::awaitable<std::optional<Outcome>> Reflect(const std::string& symbol,
                                                Caller& caller,
                                                GrpcSchema& schema) {
  std::string version = "v1alpha";
  std::vector<std::string> questions = {AskForSymbol(symbol)};
  for (int asked = 0; !questions.empty(); ++asked) {
    if (asked == kMostQuestions) {
      co_return Failed("the service describes itself at too great length");
    }
    Answer answer = co_await caller.Call(
        "grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo",
        FrameMessage(questions.back()), false);
    if (answer.problem) co_return std::move(answer.problem);
    if (answer.code == kUnimplemented && version == "v1alpha" && asked == 0) {
      version = "v1";
      continue;
    }
    if (answer.code != 0 || answer.messages.empty()) {
      co_return Failed("the service has no reflection (" +
                       GrpcCodeName(answer.code) +
                       "); give the step a \"proto\"");
    }
    questions.pop_back();
    auto files = ReadReflection(answer.messages.front());
    if (!files) {
      co_return Failed("by its reflection, the service does not have " +
                       symbol + ": " + files.error().message);
    }
    for (const std::string& file : *files) {
      const Status added = schema.AddDescriptor(file);
      if (!added) co_return Failed(added.error().message);
    }
    if (questions.empty()) {
      for (const std::string& missing : schema.Missing()) {
        questions.push_back(AskForFile(missing));
      }
    }
  }
  co_return std::nullopt;
}

// The body of the call.
Expected<std::string> Encode(const GrpcStep& step,
                             const google::protobuf::MethodDescriptor& method,
                             GrpcSchema& schema, const suite::Scope& scope) {
  json given = json::object();
  if (!step.json().empty()) {
    ASSAY_ASSIGN_OR_RETURN(given, suite::ExpandJsonText(step.json(), scope));
  }
  const bool list = given.is_array() && method.client_streaming();
  if (!list) given = json::array({std::move(given)});
  std::string body;
  for (const json& message : given) {
    ASSAY_ASSIGN_OR_RETURN(const std::string bytes,
                           schema.Encode(*method.input_type(), message.dump()));
    body += FrameMessage(bytes);
  }
  return body;
}

// What assertions and captures look at.
Expected<json> Decode(const Answer& answer,
                      const google::protobuf::MethodDescriptor& method,
                      GrpcSchema& schema) {
  json list = json::array();
  for (const std::string& bytes : answer.messages) {
    ASSAY_ASSIGN_OR_RETURN(const std::string text,
                           schema.Decode(*method.output_type(), bytes));
    list.push_back(json::parse(text, nullptr, false));
  }
  if (method.server_streaming()) return list;
  return list.empty() ? json() : list.front();
}

Outcome Judge(const GrpcStep& step, Frame& frame, const Answer& answer,
              const json& document, assertions::Schemas& schemas,
              telemetry::Redactor& redactor) {
  assertions::Evaluator evaluator(frame.scope, schemas);
  std::vector<assertions::Failure> failures;
  if (step.has_within()) {
    const std::chrono::microseconds within{step.within().seconds() * 1'000'000 +
                                           step.within().nanos() / 1000};
    if (auto late =
            evaluator.Within(within, step.within_position(), answer.took)) {
      failures.push_back(*std::move(late));
    }
  }
  for (const auto& query : step.expect_json()) {
    if (auto failure = evaluator.Query(query, document)) {
      failures.push_back(*std::move(failure));
    }
  }
  if (!failures.empty()) return FromFailures(failures);
  for (const auto& capture : step.captures()) {
    auto taken = assertions::TakeCapture(capture, document);
    if (!taken) return Failed(taken.error().sentence, capture.position());
    if (capture.secret()) {
      redactor.Add(capture.name(), taken->is_string()
                                       ? taken->get<std::string>()
                                       : taken->dump());
    }
    frame.scope.Set(capture.name(), *std::move(taken));
  }
  return {};
}

}  // namespace

asio::awaitable<Outcome> RunGrpcStep(const GrpcStep& step, Frame& frame,
                                     Surroundings& surroundings,
                                     HttpSteps& http,
                                     assertions::Schemas& schemas,
                                     telemetry::Redactor& redactor,
                                     milliseconds limit) {
  auto client = surroundings.Http(step.service(), step.port());
  if (!client) co_return Errored(client.error().message);
  Caller caller(step, frame, http, **client, steady_clock::now() + limit);
  GrpcSchema schema;
  if (step.proto().empty()) {
    const std::string symbol = step.method().substr(0, step.method().find('/'));
    auto problem = co_await Reflect(symbol, caller, schema);
    if (problem) co_return *std::move(problem);
  } else if (const Status read = schema.ReadProto(http.plan(), step.proto());
             !read) {
    co_return Errored(read.error().message);
  }
  const auto method = schema.Find(step.method());
  if (!method) co_return Failed(method.error().message);
  auto body = Encode(step, **method, schema, frame.scope);
  if (!body) co_return Failed(body.error().message);

  Answer answer = co_await caller.Call(step.method(), *std::move(body), true);
  if (answer.problem) co_return *std::move(answer.problem);
  const std::string want = step.status().empty() ? "OK" : step.status();
  if (const std::string got = GrpcCodeName(answer.code); got != want) {
    co_return Failed("expected status " + want + ", got " + got +
                         (answer.message.empty() ? "" : ": ") + answer.message,
                     step.status_position());
  }
  const auto document = Decode(answer, **method, schema);
  if (!document) co_return Failed(document.error().message);
  co_return Judge(step, frame, answer, *document, schemas, redactor);
}

}  // namespace assay::steps
