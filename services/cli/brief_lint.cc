#include "services/cli/brief_lint.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <sstream>

namespace assay::cli {
namespace {

constexpr int kFewestWords = 80;

struct Part {
  const char* what;
  const char* advice;
  // In a heading.
  std::vector<std::string_view> headings;
  // In a sentence.
  std::vector<std::string_view> phrases;
};

// What a candidate asks when it is missing; from the questions that authors
// of take-home tasks answer again and again.
const std::vector<Part>& Parts() {
  static const std::vector<Part> kParts = {
      {"system context",
       "say what the service is for, who calls it, and what it stands beside",
       {"context", "background", "system", "overview", "situation"},
       {"is used by", "calls your", "service of a", "another team",
        "is called by", "sits behind", "part of a", "our customers",
        "our clients", "the company", "a shop", "a service that"}},
      {"contract",
       "say what the program offers, exactly: endpoints, formats, status "
       "codes, "
       "and what is fixed in the template",
       {"contract", "api", "interface", "endpoint", "protocol", "schema"},
       {"openapi", "endpoint", "status code", "answers with", "responds with",
        "request body"}},
      {"acceptance criteria",
       "say what is checked, so that a candidate can tell a finished task from "
       "an unfinished one",
       {"acceptance", "criteria", "requirement", "what is graded", "grading",
        "what is checked", "checks", "must hold", "evaluation"},
       {"is graded", "are graded", "is checked", "are checked", "must hold",
        "public check", "points for"}},
      {"what done looks like",
       "say what to hand in, and what not to do: how far is far enough",
       {"done", "deliverable", "hand in", "handing in", "submission",
        "out of scope", "scope", "what we expect"},
       {"you are done when", "done when", "is done", "hand in", "deliver",
        "out of scope", "need not", "not expected"}},
      {"time allowed",
       "say how long the task should take, and what the clock does; people "
       "plan "
       "their day by it",
       {"time", "duration", "deadline", "clock"},
       {"hours", "minutes", "time allowed", "deadline", "time limit"}},
      {"what is recorded",
       "say what is kept and who sees it: pushes, runs, traces; candidates "
       "have "
       "a right to know",
       {"recorded", "privacy", "data", "what we see"},
       {"is recorded", "are recorded", "we record", "is kept", "we see",
        "who sees"}},
  };
  return kParts;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return lower;
}

bool HasAny(std::string_view text,
            const std::vector<std::string_view>& wanted) {
  return std::ranges::any_of(wanted, [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

bool IsThere(const BriefText& brief, const Part& part) {
  return HasAny(brief.prose, part.phrases) ||
         std::ranges::any_of(brief.headings, [&](const std::string& heading) {
           return HasAny(heading, part.headings);
         });
}

int CountWords(const std::string& text) {
  std::istringstream in(text);
  int words = 0;
  for (std::string word; in >> word;) ++words;
  return words;
}

}  // namespace

BriefText ReadBrief(std::string_view markdown) {
  BriefText brief;
  std::istringstream in{std::string(markdown)};
  bool in_code = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```") || line.starts_with("~~~")) {
      in_code = !in_code;
    } else if (!in_code && line.starts_with('#')) {
      brief.headings.push_back(Lower(line));
    } else if (!in_code) {
      // Sentences go over line ends.
      brief.prose += Lower(line) + ' ';
    }
  }
  brief.words = CountWords(brief.prose);
  return brief;
}

std::vector<BriefGap> LintBrief(const v1::AssignmentSpec& spec) {
  const BriefText brief = ReadBrief(spec.brief());
  if (brief.words == 0 && brief.headings.empty())
    return {{"brief", "there is none; write brief.md beside assignment.yaml"}};
  std::vector<BriefGap> gaps;
  if (brief.words < kFewestWords)
    gaps.push_back({"length", "it has " + std::to_string(brief.words) +
                                  " words; nobody is there to ask, so write "
                                  "what you would tell a new colleague"});
  for (const Part& part : Parts()) {
    if (!IsThere(brief, part)) gaps.push_back({part.what, part.advice});
  }
  if (spec.ai_policy().empty())
    gaps.push_back({"policy on tools",
                    "say in ai_policy what is allowed and what to state; "
                    "without it, everybody guesses"});
  return gaps;
}

}  // namespace assay::cli
