// Checks and what all steps share.

#include "runner/suite/builder.h"
#include "runner/suite/nearest.h"
#include "runner/suite/units.h"

namespace assay::suite {
namespace {

using plan::v1::Step;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Of `command` and `mutants` steps; a run's session takes 256 in all.
constexpr int kMostCells = 200;

// Whether a step can fail by what the service does.
bool Judges(const Step& step) {
  switch (step.verb_case()) {
    case Step::kHttp:
      return step.http().has_expect() || step.http().captures_size() > 0;
    case Step::kSql:
      return step.sql().has_expect_position() || step.sql().captures_size() > 0;
    case Step::kRedis:
      return step.redis().has_expect() || step.redis().captures_size() > 0;
    case Step::kFault:
    case Step::kHeal:
    case Step::kRestart:
    case Step::kWait:
      return false;
    default:
      return true;
  }
}

}  // namespace

void Builder::Check(const Node& node, Visibility visibility) {
  plan::v1::Check& out = *plan_.add_checks();
  *out.mutable_position() = At(node.at);
  out.set_id(Text(node, "id"));
  out.set_title(Text(node, "title"));
  if (!out.id().empty()) {
    const auto [it, fresh] =
        check_lines_.emplace(out.id(), plan_.checks_size());
    if (!fresh) {
      const auto& first = plan_.checks(it->second - 1).position();
      report_.Error(node.Get("id")->at,
                    "the id \"" + out.id() + "\" is taken by the check in " +
                        (first.file().empty() ? "" : first.file() + " ") +
                        "line " + std::to_string(first.line()));
    }
  }
  *out.mutable_timeout() =
      ToProto(Time(node, "timeout", FromProto(plan_.limits().check_timeout())));
  CheckReveal(node, visibility, out);
  Needs(node, out);
  CheckNames names;
  Cases(node, out, names);
  if (const Node* steps = Get(node, "steps")) {
    names.steps = StepsOf(*steps, *out.mutable_steps());
    CalibratedLoads(out.steps(), true);
  }
  suite_names_.checks.push_back(std::move(names));
  CheckPoints(node, out);
}

void Builder::CheckPoints(const Node& node, plan::v1::Check& out) {
  out.set_points(Number(node, "points", 0));
  out.set_bonus(Bool(node, "bonus", false));
  out.set_cap(Number(node, "cap", 0));
  bool by_parts = out.cases_size() > 0;
  for (const Step& step : out.steps()) by_parts |= step.has_mutants();
  out.set_partial(Bool(node, "partial", by_parts));
  if (out.cap() > out.points()) {
    report_.Error(node.Get("cap")->at,
                  "the cap is above the points, so that it never applies");
  }
  bool judges = false;
  for (const Step& step : out.steps()) {
    judges = judges || Judges(step);
    if (step.verb_case() == Step::kCommand && step.command().in_repository()) {
      out.set_claimed(true);
    }
    const microseconds demand = Demand(step);
    if (demand > FromProto(out.timeout())) {
      report_.Error({step.position().file().empty() ? plan_.source_name()
                                                    : step.position().file(),
                     step.position().line(), step.position().column()},
                    "this step takes " + DurationText(demand) +
                        " and its check ends after " +
                        DurationText(FromProto(out.timeout())) +
                        "; raise the check's \"timeout\"");
    }
  }
  if (out.claimed() && out.points() > 0) {
    report_.Error(node.Get("points")->at,
                  "what a command in the candidate's repository reports is "
                  "claimed and earns 0 points; use \"in: suite\" with files of "
                  "your own, or \"mutants\"");
  }
  if (!judges && out.steps_size() > 0) {
    report_.Warn(node.at, "the check \"" + out.id() +
                              "\" expects nothing: it passes whenever the "
                              "service answers");
  }
}

void Builder::CheckReveal(const Node& node, Visibility visibility,
                          plan::v1::Check& out) {
  if (Get(node, "visibility") != nullptr) {
    out.set_hidden(Text(node, "visibility") == "hidden");
  } else if (visibility == Visibility::kUnsaid) {
    if (node.Find("visibility") == nullptr) {
      report_.Error(node.at,
                    "a check needs the key \"visibility\" (public or hidden), "
                    "here or for the whole file");
    }
  } else {
    out.set_hidden(visibility == Visibility::kHidden);
  }
  const std::string reveal = Text(node, "reveal");
  const std::string at = Text(node, "reveal_at");
  if (!out.hidden()) {
    if (!reveal.empty() || !at.empty()) {
      report_.Warn(node.at,
                   "\"reveal\" and \"reveal_at\" do nothing for a "
                   "public check");
    }
    out.set_reveal(plan::v1::Check::REVEAL_FULL);
    out.set_reveal_at(plan::v1::Check::REVEAL_AT_PUSH);
    return;
  }
  out.set_reveal(reveal == "title"    ? plan::v1::Check::REVEAL_TITLE
                 : reveal == "result" ? plan::v1::Check::REVEAL_RESULT
                 : reveal == "full"   ? plan::v1::Check::REVEAL_FULL
                                      : plan::v1::Check::REVEAL_NONE);
  out.set_reveal_at(at == "push"       ? plan::v1::Check::REVEAL_AT_PUSH
                    : at == "deadline" ? plan::v1::Check::REVEAL_AT_DEADLINE
                    : at == "never"    ? plan::v1::Check::REVEAL_AT_NEVER
                                       : plan::v1::Check::REVEAL_AT_DECISION);
}

void Builder::Cases(const Node& node, plan::v1::Check& out, CheckNames& names) {
  const Node* cases = Get(node, "cases");
  if (cases == nullptr) return;
  std::map<std::string, int> lines;
  names_ = nullptr;
  for (const auto& row : cases->items) {
    if (!validator_.Good(*row) || row->kind != Node::Kind::kMap) continue;
    plan::v1::Case& entry = *out.add_cases();
    *entry.mutable_position() = At(row->at);
    entry.set_name("case " + std::to_string(out.cases_size()));
    std::set<std::string> keys;
    for (const Node::Entry& value : row->entries) {
      keys.insert(value.key);
      (*entry.mutable_values())[value.key] = Json(*value.value);
      if (value.key == "name") entry.set_name(value.value->text);
    }
    const auto [it, fresh] = lines.emplace(entry.name(), row->at.line);
    if (!fresh) {
      report_.Error(row->at, "the case \"" + entry.name() +
                                 "\" stands in line " +
                                 std::to_string(it->second) + " already");
    }
    names.case_keys.push_back(std::move(keys));
    names.case_places.push_back(row->at);
  }
}

void Builder::Needs(const Node& node, plan::v1::Check& out) {
  for (const Node* need : Several(node, "needs")) {
    out.add_needs(need->text);
    if (!out.id().empty()) needs_.push_back({out.id(), {need->text, need->at}});
  }
}

void Builder::NumberCommands() {
  int next = 0;
  int cells = 0;
  const auto number = [&](Steps& steps) {
    for (Step& step : steps) {
      if (step.has_command()) step.mutable_command()->set_index(next++);
      if (step.has_mutants()) step.mutable_mutants()->set_index(next++);
      if (step.has_load() && step.load().has_calibration()) {
        step.mutable_load()->mutable_calibration()->set_index(next++);
      }
      const int before = cells;
      if (step.has_command()) cells += 1;
      if (step.has_mutants()) cells += 1 + plan_.services_size();
      if (step.load().has_calibration()) cells += plan_.services_size();
      if (before > kMostCells || cells <= kMostCells) continue;
      const plan::v1::Position& at = step.position();
      report_.Error({at.file().empty() ? plan_.source_name() : at.file(),
                     at.line(), at.column()},
                    "with this step `command` and `mutants` need " +
                        std::to_string(cells) + " cells, and a run has " +
                        std::to_string(kMostCells) +
                        " for them; let one command do the work of several");
    }
  };
  for (plan::v1::Check& check : *plan_.mutable_checks()) {
    number(*check.mutable_steps());
  }
  for (const auto& [name, unused] : suite_names_.flow_places) {
    number(*(*plan_.mutable_flows())[name].mutable_steps());
  }
}

std::vector<StepNames> Builder::StepsOf(const Node& list, Steps& out) {
  std::vector<StepNames> names;
  for (const auto& item : list.items) {
    if (!validator_.Good(*item) || item->kind != Node::Kind::kMap) continue;
    names.push_back(StepOf(*item, *out.Add()));
  }
  return names;
}

StepNames Builder::StepOf(const Node& node, Step& out) {
  StepNames names;
  StepNames* outer = std::exchange(names_, &names);
  *out.mutable_position() = At(node.at);
  const std::vector<const Node::Entry*> verbs = VerbsOf(node);
  if (verbs.size() == 1 && validator_.Good(*verbs[0]->value)) {
    StepVerb(node, *verbs[0], out);
  }
  if (const Node* title = Get(node, "title")) out.set_title(title->text);
  Eventually(node, out);
  StepTimeout(node, out);
  names_ = outer;
  return names;
}

void Builder::StepVerb(const Node& node, const Node::Entry& verb, Step& out) {
  const std::string& name = verb.key;
  out.set_title(name);
  if (IsHttpVerb(name)) {
    Http(node, verb, *out.mutable_http());
    out.set_title(out.http().method() + " " + out.http().path());
  } else if (name == "graphql") {
    Graphql(node, *out.mutable_http());
    out.set_title("graphql " + out.http().path());
  } else if (name == "sql") {
    Sql(node, *out.mutable_sql());
    out.set_title("sql on " + out.sql().target());
  } else if (name == "redis") {
    Redis(node, *out.mutable_redis());
    out.set_title("redis on " + out.redis().target());
  } else if (name == "use") {
    Use(node, *out.mutable_use());
    out.set_title("use " + out.use().flow());
  } else if (name == "wait") {
    *out.mutable_wait()->mutable_duration() =
        ToProto(Time(node, "wait", seconds(0)));
  } else if (name == "burst") {
    Burst(*verb.value, *out.mutable_burst());
  } else if (name == "load") {
    Load(*verb.value, *out.mutable_load());
  } else if (name == "trace") {
    Trace(*verb.value, *out.mutable_trace());
  } else if (name == "logs") {
    Logs(*verb.value, *out.mutable_logs());
  } else if (name == "fault") {
    Fault(*verb.value, *out.mutable_fault());
    out.set_title("fault on " + out.fault().target());
  } else if (name == "heal") {
    out.mutable_heal()->set_target(verb.value->text);
    FaultTarget(verb.value->text, verb.value->at);
    out.set_title("heal " + verb.value->text);
  } else if (name == "restart") {
    Restart(node, *verb.value, *out.mutable_restart());
    out.set_title("restart " + verb.value->text);
  } else if (name == "command") {
    CommandOf(node, *out.mutable_command());
    out.set_title(verb.value->text);
  } else if (name == "mutants") {
    Mutants(*verb.value, *out.mutable_mutants());
  } else if (name == "metrics") {
    Metrics(*verb.value, *out.mutable_metrics());
  } else if (name == "websocket" || name == "events") {
    Stream(node, verb, *out.mutable_stream());
    out.set_title(name + " " + out.stream().open().path());
  } else if (name == "grpc") {
    Grpc(node, *out.mutable_grpc());
    out.set_title("grpc " + out.grpc().method());
  } else {
    out.mutable_unsupported()->set_verb(name);
    out.mutable_unsupported()->set_json(Json(node));
  }
}

void Builder::Eventually(const Node& node, Step& out) {
  const Node* eventually = Get(node, "eventually");
  if (eventually == nullptr || eventually->kind != Node::Kind::kMap) return;
  plan::v1::Eventually& poll = *out.mutable_eventually();
  *poll.mutable_within() = ToProto(Time(*eventually, "within", seconds(5)));
  *poll.mutable_every() =
      ToProto(Time(*eventually, "every", milliseconds(200)));
  const Node* stop = Get(*eventually, "stop_on");
  if (stop == nullptr) return;
  if (!out.has_http()) {
    report_.Error(stop->at, "stop_on: only HTTP steps have a status");
  } else if (const Node* status = Get(*stop, "status")) {
    *poll.mutable_stop_on_status() = Expect(*status, Subject::kStatus);
  }
}

// How long a step means to take when all is well.
microseconds Builder::Demand(const Step& step) const {
  if (step.has_eventually()) return FromProto(step.eventually().within());
  if (step.has_load()) {
    return FromProto(step.load().warmup()) + FromProto(step.load().duration());
  }
  if (step.has_wait()) return FromProto(step.wait().duration());
  return microseconds(0);
}

void Builder::StepTimeout(const Node& node, Step& out) {
  // Room for the last try, or the last answers.
  const microseconds slack = FromProto(plan_.limits().request_timeout());
  const microseconds demand = Demand(out);
  microseconds fallback = FromProto(plan_.limits().step_timeout());
  if (demand > microseconds(0)) {
    fallback = std::max(fallback, demand + slack);
  }
  // A program of its own is bounded by its check.
  if (out.has_command() || out.has_mutants()) fallback = microseconds(0);
  const microseconds timeout = Time(node, "timeout", fallback);
  if (timeout > microseconds(0)) *out.mutable_timeout() = ToProto(timeout);
}

}  // namespace assay::suite
