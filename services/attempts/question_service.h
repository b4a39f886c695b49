#ifndef ASSAY_SERVICES_ATTEMPTS_QUESTION_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_QUESTION_SERVICE_H_

#include <functional>

#include "assay/v1/question_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// assay.v1.QuestionService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class QuestionService {
 public:
  // Questions of one attempt that may wait at once.
  static constexpr int kMaxWaiting = 20;

  // `on_changed` is called for the attempt whose thread has changed; with an
  // empty id when an answer is for everybody.
  QuestionService(storage::Store& store, const Clock& clock,
                  std::function<void()> on_clock_changed,
                  std::function<void(const AttemptId&)> on_changed = {});
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::AskQuestionResponse> Ask(rpc::CallContext context,
                                     v1::AskQuestionRequest request);
  Async<v1::AnswerQuestionResponse> Answer(rpc::CallContext context,
                                           v1::AnswerQuestionRequest request);
  Async<v1::PauseForQuestionResponse> Pause(
      rpc::CallContext context, v1::PauseForQuestionRequest request);
  Async<v1::ListQuestionsResponse> List(rpc::CallContext context,
                                        v1::ListQuestionsRequest request);

  storage::Store& store_;
  const Clock& clock_;
  const std::function<void()> on_clock_changed_;
  const std::function<void(const AttemptId&)> on_changed_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_QUESTION_SERVICE_H_
