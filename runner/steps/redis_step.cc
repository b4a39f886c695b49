#include "runner/steps/redis_step.h"

#include <string>
#include <utility>
#include <vector>

#include "runner/assertions/evaluator.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::RedisStep;

asio::awaitable<Outcome> RunRedisStep(const RedisStep& step, Frame& frame,
                                      Surroundings& surroundings,
                                      assertions::Schemas& schemas,
                                      telemetry::Redactor& redactor,
                                      std::chrono::milliseconds limit) {
  std::vector<std::string> arguments;
  for (const std::string& text : step.arguments()) {
    auto argument = suite::ExpandText(text, frame.scope);
    if (!argument) co_return Failed(argument.error().message);
    arguments.push_back(*std::move(argument));
  }
  auto reply =
      co_await surroundings.Redis(step.target(), std::move(arguments),
                                  std::chrono::steady_clock::now() + limit);
  if (!reply) {
    if (reply.error().code == Code::kDeadlineExceeded) {
      co_return TimedOut("the command was not answered within " +
                         std::to_string(limit.count()) + " ms");
    }
    if (reply.error().code == Code::kResourceExhausted) {
      co_return Failed(reply.error().message);
    }
    co_return Errored(reply.error().message);
  }
  if (reply->error) {
    co_return Failed("Redis refused the command: " + *reply->error);
  }
  assertions::Evaluator evaluator(frame.scope, schemas);
  // Nil is a key that is not there.
  const nlohmann::json* value =
      reply->value.is_null() ? nullptr : &reply->value;
  if (step.has_expect()) {
    if (auto failure = evaluator.Value(step.expect(), "reply", value)) {
      co_return Failed(failure->sentence, failure->position);
    }
  }
  for (const auto& capture : step.captures()) {
    auto taken = assertions::TakeCapture(capture, reply->value);
    if (!taken) co_return Failed(taken.error().sentence, capture.position());
    if (capture.secret()) {
      redactor.Add(capture.name(), taken->is_string()
                                       ? taken->get<std::string>()
                                       : taken->dump());
    }
    frame.scope.Set(capture.name(), *std::move(taken));
  }
  co_return Outcome{};
}

}  // namespace assay::steps
