#include "services/cli/overview_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Waiting = v1::GetHomeResponse::Waiting;

std::string WhatWaits(Waiting::Kind kind) {
  switch (kind) {
    case Waiting::KIND_QUESTION:
      return "question";
    case Waiting::KIND_DECISION:
      return "decision";
    case Waiting::KIND_ERRORED_RUN:
      return "errored run";
    case Waiting::KIND_PAUSED_CLOCK:
      return "paused clock";
    case Waiting::KIND_NOTHING_SUBMITTED:
      return "nothing submitted";
    default:
      return "";
  }
}

// "STATE_STARTED" to "started".
std::string Lower(std::string name, std::string_view prefix) {
  name.erase(0, prefix.size());
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return name == "unspecified" ? "" : name;
}

std::string StateText(v1::Candidate::State state) {
  if (state == v1::Candidate::STATE_NOTHING_SUBMITTED)
    return "nothing submitted";
  return Lower(v1::Candidate::State_Name(state), "STATE_");
}

std::string DecisionText(v1::Decision::Outcome outcome) {
  return Lower(v1::Decision::Outcome_Name(outcome), "OUTCOME_");
}

std::string ScoreText(const v1::Candidate& person) {
  if (!person.has_earned_points()) return "";
  return fmt::format("{:g}/{:g}", person.earned_points(), person.max_points());
}

std::string RawTime(const google::protobuf::Timestamp& time) {
  const std::string text = TimeText(time);
  return text == "-" ? "" : text;
}

}  // namespace

void ShowHome(Console& console, const v1::GetHomeResponse& home) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& funnel : home.funnels())
    rows.push_back(
        {ShortName(funnel.assignment()), std::to_string(funnel.invited()),
         std::to_string(funnel.accepted()), std::to_string(funnel.started()),
         std::to_string(funnel.submitted()), std::to_string(funnel.decided()),
         Printable(funnel.title())});
  console.Table({"ASSIGNMENT", "INVITED", "ACCEPTED", "STARTED", "SUBMITTED",
                 "DECIDED", "TITLE"},
                rows);
  console.Line();
  rows.clear();
  for (const auto& one : home.waiting())
    rows.push_back({WhatWaits(one.kind()), ShortName(one.assignment()),
                    ShortName(one.run().empty() ? one.attempt() : one.run()),
                    TimeText(one.since())});
  console.Line(fmt::format("{} wait for a person", home.waiting_count()));
  if (!rows.empty()) console.Table({"WHAT", "ASSIGNMENT", "OF", "SINCE"}, rows);
  console.Line();
  ShowQueue(console, home);
}

void ShowQueue(Console& console, const v1::GetHomeResponse& home) {
  console.Line(fmt::format("{} runs under way, {} queued", home.running_count(),
                           home.queued_count()));
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : home.queue())
    rows.push_back(
        {run.waits_for().empty() ? std::to_string(run.position()) : "-",
         ShortName(run.run()), ShortName(run.assignment()),
         TimeText(run.queue_time()), TimeText(run.expected_start_time()),
         Printable(run.waits_for())});
  if (!rows.empty())
    console.Table(
        {"AHEAD", "RUN", "ASSIGNMENT", "QUEUED", "EXPECTED START", "WAITS FOR"},
        rows);
}

void ShowCandidates(Console& console, const v1::ListCandidatesResponse& list) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::Candidate& person : list.candidates())
    rows.push_back(
        {ShortName(person.attempt().empty() ? person.invitation()
                                            : person.attempt()),
         StateText(person.state()) + (person.paused() ? ", paused" : ""),
         ScoreText(person), std::to_string(person.push_count()),
         TimeText(person.deadline()), DecisionText(person.decision()),
         Printable(person.candidate_name())});
  console.Table(
      {"WHO", "STATE", "SCORE", "PUSHES", "DEADLINE", "DECISION", "NAME"},
      rows);
}

std::string CsvCell(std::string_view text) {
  std::string cell;
  if (!text.empty() &&
      std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
    cell = "'";
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void ShowCandidatesCsv(Console& console,
                       const v1::ListCandidatesResponse& list) {
  console.Line(
      "name,email,state,invitation,attempt,version,invited,started,deadline,"
      "submitted,decided,decision,earned,max,pushes,submissions,accommodation,"
      "paused,final_run");
  for (const v1::Candidate& p : list.candidates()) {
    const bool scored = p.has_earned_points();
    const std::vector<std::string> cells = {
        p.candidate_name(),
        p.candidate_email(),
        StateText(p.state()),
        p.invitation(),
        p.attempt(),
        std::to_string(p.assignment_version()),
        RawTime(p.invite_time()),
        RawTime(p.start_time()),
        RawTime(p.deadline()),
        RawTime(p.submit_time()),
        RawTime(p.decide_time()),
        DecisionText(p.decision()),
        scored ? fmt::format("{:g}", p.earned_points()) : "",
        scored ? fmt::format("{:g}", p.max_points()) : "",
        std::to_string(p.push_count()),
        std::to_string(p.submission_count()),
        fmt::format("{:g}", p.accommodation()),
        p.paused() ? "yes" : "no",
        p.final_run()};
    std::string row;
    for (const std::string& cell : cells)
      row +=
          (row.empty() && &cell == &cells.front() ? "" : ",") + CsvCell(cell);
    console.Document(row);
  }
}

void ShowStatistics(Console& console,
                    const v1::GetStatisticsResponse& statistics) {
  console.Fields(
      {{"scored", std::to_string(statistics.scored())},
       {"mean", fmt::format("{:.1f} %", statistics.mean_percent())},
       {"median", fmt::format("{:.1f} %", statistics.median_percent())}});
  for (const auto& bin : statistics.scores())
    console.Line(fmt::format("{:3g} to {:3g} %  {:5}  {}", bin.from_percent(),
                             bin.to_percent(), bin.count(),
                             std::string(std::min(bin.count(), 50), '#')));
  console.Line();
  std::vector<std::vector<std::string>> rows;
  for (const auto& check : statistics.checks()) {
    const int all = check.passed() + check.failed() + check.other();
    rows.push_back({check.check_id(), fmt::format("{:g}", check.points()),
                    fmt::format("{:.0f} %", 100.0 * check.passed() / all),
                    check.has_discrimination()
                        ? fmt::format("{:.2f}", check.discrimination())
                        : "-",
                    DurationText(check.median_duration()),
                    Printable(check.title())});
  }
  console.Table(
      {"CHECK", "POINTS", "PASSED", "DISCRIMINATION", "TIME", "TITLE"}, rows);
  const auto& waits = statistics.decisions();
  console.Line();
  console.Fields({{"decided", std::to_string(waits.count())},
                  {"took, median", DurationText(waits.median())},
                  {"took, nine of ten", DurationText(waits.p90())},
                  {"undecided", std::to_string(waits.open())},
                  {"longest undecided", DurationText(waits.longest_open())}});
}

}  // namespace assay::cli
