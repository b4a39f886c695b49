#include <unistd.h>

#include <iostream>
#include <iterator>

#include "assay/v1/question_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::QuestionService::Stub;

struct AskOptions {
  std::string text;
  std::string attempt = "me";
};
struct ListOptions {
  std::string attempt;
  std::string assignment;
  bool waiting = false;
};
struct AnswerOptions {
  std::string name;
  std::string text;
  bool to_all = false;
};
struct PauseOptions {
  std::string name;
};

// "-" is what comes from standard input.
std::string TextOf(const std::string& given) {
  if (given != "-") return given;
  std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void PrintQuestion(Console& console, const v1::Question& question) {
  console.Line(
      console.Paint(Color::kBold, ShortName(question.name())) + "  " +
      TimeText(question.ask_time()) + "  " + ShortName(question.assignment()) +
      (question.attempt().empty() ? "" : "  " + ShortName(question.attempt())) +
      (question.paused() ? "  (the clock stands)" : ""));
  console.Line("  Q: " + Printable(question.text(), Lines::kMany));
  if (question.has_answer_time()) {
    console.Line("  A: " + Printable(question.answer(), Lines::kMany) +
                 (question.shared() ? "  (to everybody)" : ""));
  } else {
    console.Line("  " + console.Paint(Color::kYellow, "waits for an answer"));
  }
}

Outcome Print(Context& context, const v1::Question& question) {
  if (context.console().json())
    context.console().Json(question);
  else
    PrintQuestion(context.console(), question);
  return kSuccess;
}

Outcome AskQuestion(Context& context, const AskOptions& options) {
  v1::AskQuestionRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  request.set_text(TextOf(options.text));
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.ServerFor(options.attempt).Call(&Stub::AskQuestion, request));
  return Print(context, response.question());
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListQuestionsRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  request.set_assignment(FullName("assignments", options.assignment));
  Server& server = context.ServerFor(options.attempt);
  v1::ListQuestionsResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto page,
                           server.Call(&Stub::ListQuestions, request));
    for (const v1::Question& question : page.questions()) {
      if (!options.waiting || !question.has_answer_time())
        *all.add_questions() = question;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  Console& console = context.console();
  if (console.json()) {
    console.Json(all);
    return kSuccess;
  }
  for (const v1::Question& question : all.questions())
    PrintQuestion(console, question);
  if (all.questions().empty()) console.Note("No questions.");
  return kSuccess;
}

Outcome AnswerQuestion(Context& context, const AnswerOptions& options) {
  v1::AnswerQuestionRequest request;
  request.set_name(FullName("questions", options.name));
  request.set_answer(TextOf(options.text));
  request.set_share(options.to_all);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::AnswerQuestion, request));
  return Print(context, response.question());
}

Outcome Pause(Context& context, const PauseOptions& options) {
  v1::PauseForQuestionRequest request;
  request.set_name(FullName("questions", options.name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::PauseForQuestion, request));
  return Print(context, response.question());
}

}  // namespace

void AddQuestionCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "question", "What candidates ask about a task");
  auto ask = line.Add<AskOptions>(
      group, "ask", "Ask whoever wrote the task (candidates)",
      "  assay question ask \"May an order have no lines?\"\n"
      "  assay question ask - < question.txt",
      AskQuestion);
  ask.app.add_option("text", ask.options->text, "The question; - reads stdin")
      ->required();
  ask.app.add_option("--attempt", ask.options->attempt,
                     "Attempt; a candidate's own is \"me\"");
  auto list = line.Add<ListOptions>(
      group, "list", "Questions and answers, oldest first",
      "  assay question list --attempt me\n"
      "  assay question list --assignment orders-api --waiting",
      List);
  list.app.add_option("--attempt", list.options->attempt,
                      "Only of this attempt; a candidate's own is \"me\"");
  list.app.add_option("--assignment", list.options->assignment,
                      "Only of this assignment");
  list.app.add_flag("--waiting", list.options->waiting,
                    "Only those without an answer");
  auto answer = line.Add<AnswerOptions>(
      group, "answer", "Answer, without learning who asked (authors)",
      "  assay question answer qst_7f3k \"No: answer with 422.\" --to-all",
      AnswerQuestion);
  answer.app.add_option("name", answer.options->name, "Question")->required();
  answer.app
      .add_option("text", answer.options->text, "The answer; - reads stdin")
      ->required();
  answer.app.add_flag("--to-all", answer.options->to_all,
                      "Show question and answer to every attempt of the "
                      "assignment");
  auto pause = line.Add<PauseOptions>(
      group, "pause", "Stop the clock of whoever asked until it is answered",
      "  assay question pause qst_7f3k", Pause);
  pause.app.add_option("name", pause.options->name, "Question")->required();
}

}  // namespace assay::cli
