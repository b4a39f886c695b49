// The steps that are not HTTP requests.

#include <algorithm>

#include "runner/suite/builder.h"
#include "runner/suite/nearest.h"
#include "runner/suite/units.h"

namespace assay::suite {
namespace {

using std::chrono::seconds;

// The highest $n of a statement, outside of quotes.
int HighestArgument(const std::string& statement) {
  int highest = 0;
  char quote = '\0';
  for (std::size_t i = 0; i < statement.size(); ++i) {
    const char c = statement[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c != '$') continue;
    int number = 0;
    while (i + 1 < statement.size() && std::isdigit(statement[i + 1]) != 0 &&
           number < 10'000) {
      number = number * 10 + (statement[++i] - '0');
    }
    highest = std::max(highest, number);
  }
  return highest;
}

std::vector<std::string> SplitAtSpaces(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  int braces = 0;
  for (const char c : text) {
    if (c == '{') ++braces;
    if (c == '}') --braces;
    if (c == ' ' && braces <= 0) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

}  // namespace

std::string Builder::SidecarTarget(const Node& node,
                                   plan::v1::Sidecar::Kind kind) {
  const std::string word =
      kind == plan::v1::Sidecar::KIND_REDIS ? "redis" : "postgres";
  std::vector<std::string> names;
  for (const plan::v1::Sidecar& sidecar : plan_.sidecars()) {
    if (sidecar.kind() == kind) names.push_back(sidecar.name());
  }
  const Node* target = Get(node, "target");
  if (target == nullptr) {
    if (names.size() == 1) return names[0];
    if (node.Find("target") == nullptr) {
      report_.Error(node.at, names.empty()
                                 ? "the suite has no " + word + " sidecar"
                                 : "target: say which sidecar is meant, " +
                                       JoinNames(names, "or"));
    }
    return "";
  }
  if (std::find(names.begin(), names.end(), target->text) == names.end()) {
    const std::string hint = DidYouMean(target->text, names);
    report_.Error(target->at,
                  "target: there is no " + word + " sidecar \"" + target->text +
                      "\"" +
                      (hint.empty() ? "; there is " + JoinNames(names) : hint));
  }
  return target->text;
}

void Builder::Sql(const Node& node, plan::v1::SqlStep& out) {
  out.set_target(SidecarTarget(node, plan::v1::Sidecar::KIND_POSTGRES));
  const Node* statement = Get(node, "sql");
  out.set_statement(Text(node, "sql"));
  if (statement != nullptr && statement->text.find("{{") != std::string::npos) {
    report_.Error(statement->at,
                  "templates do not work inside SQL; write $1 "
                  "and pass the value in \"args\"");
  }
  SqlArguments(node, out);
  const Node* expect = Get(node, "expect");
  if (expect != nullptr && expect->kind == Node::Kind::kMap) {
    *out.mutable_expect_position() = At(expect->at);
    if (const Node* rows = Get(*expect, "rows")) {
      nlohmann::json list = nlohmann::json::array();
      NoteTemplates(*rows);
      for (const auto& row : rows->items) {
        // A row of one column may be written without its brackets.
        list.push_back(row->kind == Node::Kind::kList
                           ? ToJson(*row)
                           : nlohmann::json::array({ToJson(*row)}));
      }
      out.set_rows_json(list.dump());
    }
    if (const Node* count = Get(*expect, "count")) {
      *out.mutable_count() = Expect(*count, Subject::kNumber);
    }
    QueriesOf(*expect, "json", *out.mutable_json());
  }
  CapturesOf(node, false, *out.mutable_captures());
}

void Builder::SqlArguments(const Node& node, plan::v1::SqlStep& out) {
  const Node* args = Get(node, "args");
  if (args != nullptr) {
    for (const auto& item : args->items) out.add_args(Json(*item));
  }
  const int needed = HighestArgument(out.statement());
  if (node.Find("args") != nullptr && args == nullptr) return;
  if (needed == out.args_size()) return;
  report_.Error(args == nullptr ? node.at : args->at,
                "the statement takes " + std::to_string(needed) +
                    (needed == 1 ? " argument" : " arguments") + ", found " +
                    std::to_string(out.args_size()));
}

void Builder::Redis(const Node& node, plan::v1::RedisStep& out) {
  out.set_target(SidecarTarget(node, plan::v1::Sidecar::KIND_REDIS));
  const Node* command = Get(node, "redis");
  if (command != nullptr && command->kind == Node::Kind::kScalar) {
    NoteTemplates(command->text, command->at);
    for (std::string& word : SplitAtSpaces(command->text)) {
      out.add_arguments(std::move(word));
    }
  } else {
    for (const Node* argument : Several(node, "redis")) {
      NoteTemplates(argument->text, argument->at);
      out.add_arguments(argument->text);
    }
  }
  if (const Node* expect = Get(node, "expect")) {
    *out.mutable_expect() = Expect(*expect, Subject::kValue);
  }
  CapturesOf(node, false, *out.mutable_captures());
}

void Builder::Use(const Node& node, plan::v1::UseStep& out) {
  out.set_flow(Text(node, "use"));
  names_->flow = {out.flow(), node.Get("use")->at};
  for (const Node::Entry* entry : Entries(node, "vars")) {
    (*out.mutable_vars())[entry->key] = Json(*entry->value);
    names_->vars.push_back(entry->key);
  }
}

void Builder::Burst(const Node& node, plan::v1::BurstStep& out) {
  out.set_times(static_cast<std::int32_t>(Integer(node, "times", 1)));
  out.set_at_once(
      static_cast<std::int32_t>(Integer(node, "at_once", out.times())));
  if (out.at_once() > out.times()) {
    report_.Error(node.Get("at_once")->at,
                  "at_once: " + std::to_string(out.at_once()) +
                      " is more than there are (times: " +
                      std::to_string(out.times()) + ")");
  }
  const Node* request = Get(node, "request");
  if (request != nullptr && request->kind == Node::Kind::kMap) {
    names_->inner.push_back(StepOf(*request, *out.add_steps()));
  }
  if (const Node* steps = Get(node, "steps")) {
    names_->inner = StepsOf(*steps, *out.mutable_steps());
    for (const auto& item : steps->items) {
      for (const Node::Entry* verb : VerbsOf(*item)) {
        static const std::set<std::string> kOthers = {"sql", "redis", "use",
                                                      "wait", "graphql"};
        if (!IsHttpVerb(verb->key) && !kOthers.contains(verb->key)) {
          report_.Error(verb->key_at,
                        "\"" + verb->key + "\" cannot be part of a burst");
        }
      }
    }
  }
  const Node* expect = Get(node, "expect");
  if (expect == nullptr || expect->kind != Node::Kind::kMap) return;
  *out.mutable_expect_position() = At(expect->at);
  BurstStatuses(*expect, out);
  out.set_distinct(Text(*expect, "distinct"));
  if (Get(*expect, "within") != nullptr) {
    *out.mutable_within() = ToProto(Time(*expect, "within", seconds(0)));
  }
}

void Builder::BurstStatuses(const Node& expect, plan::v1::BurstStep& out) {
  std::int64_t sum = 0;
  for (const Node::Entry* entry : Entries(expect, "statuses")) {
    const std::string& status = entry->key;
    const bool good =
        status.size() == 3 && status[0] >= '1' && status[0] <= '5' &&
        (status.ends_with("xx") ||
         (std::isdigit(status[1]) != 0 && std::isdigit(status[2]) != 0));
    if (!good) {
      report_.Error(entry->key_at,
                    "statuses: expected a status like 201, or a "
                    "class like 4xx, found \"" +
                        status + "\"");
      continue;
    }
    const auto count = ToJson(*entry->value).get<std::int32_t>();
    (*out.mutable_statuses())[status] = count;
    sum += count;
  }
  const Node* statuses = Get(expect, "statuses");
  if (statuses == nullptr || sum == out.times()) return;
  report_.Error(statuses->at, "the statuses add up to " + std::to_string(sum) +
                                  " answers, and the burst has " +
                                  std::to_string(out.times()));
}

void Builder::Trace(const Node& node, plan::v1::TraceStep& out) {
  const auto or_else = [](std::string text, const char* fallback) {
    return text.empty() ? fallback : text;
  };
  out.set_per(or_else(Text(node, "per"), "request"));
  out.set_of(or_else(Text(node, "of"), "last"));
  out.set_source(or_else(Text(node, "source"), "tap"));
  out.set_kind(Text(node, "kind"));
  out.set_below(Text(node, "below"));
  if (const Node* queries = Get(node, "queries_per_request")) {
    *out.mutable_queries_per_request() = Expect(*queries, Subject::kNumber);
    if (out.source() != "tap") {
      report_.Error(queries->at,
                    "queries_per_request counts what taps saw; "
                    "leave \"source\" out");
    }
  }
  if (const Node* scans = Get(node, "sequential_scans")) {
    auto& wanted = *out.mutable_sequential_scans();
    wanted.set_over(Integer(*scans, "over", 10'000));
    wanted.set_enforced(Bool(*scans, "enforce", false));
    *wanted.mutable_position() = At(scans->at);
    if (out.source() != "tap") {
      report_.Error(scans->at,
                    "sequential_scans looks at what taps saw; leave \"source\" "
                    "out");
    }
  }
  if (const Node* span = Get(node, "span")) {
    *out.mutable_span_name() = Expect(*span, Subject::kText);
  }
  for (const Node::Entry* entry : Entries(node, "attrs")) {
    plan::v1::Named& attribute = *out.add_attributes();
    attribute.set_name(entry->key);
    *attribute.mutable_expectation() = Expect(*entry->value, Subject::kValue);
    *attribute.mutable_position() = At(entry->key_at);
  }
  if (const Node* status = Get(node, "status")) {
    *out.mutable_status() = Expect(*status, Subject::kText);
  }
  if (const Node* count = Get(node, "count")) {
    *out.mutable_count() = Expect(*count, Subject::kNumber);
  }
  if (const Node* duration = Get(node, "duration")) {
    *out.mutable_duration() = Expect(*duration, Subject::kDuration);
  }
  *out.mutable_wait() = ToProto(Time(node, "wait", seconds(2)));
}

void Builder::Metrics(const Node& node, plan::v1::MetricsStep& out) {
  out.set_name(Text(node, "name"));
  out.set_path(Text(node, "path"));
  if (out.path().empty()) out.set_path("/metrics");
  out.set_source(Text(node, "source"));
  if (out.source().empty()) out.set_source("prometheus");
  for (const Node::Entry* entry : Entries(node, "labels")) {
    NoteTemplates(entry->value->text, entry->value->at);
    (*out.mutable_labels())[entry->key] = entry->value->text;
  }
  if (const Node* value = Get(node, "value")) {
    *out.mutable_value() = Expect(*value, Subject::kNumber);
  }
}

void Builder::Logs(const Node& node, plan::v1::LogsStep& out) {
  for (const Node* source : Several(node, "sources")) {
    out.add_sources(source->text);
  }
  if (out.sources_size() == 0) {
    for (const char* source : {"stdout", "stderr", "otlp", "span-attributes"}) {
      out.add_sources(source);
    }
  }
  if (const Node* forbid = Get(node, "forbid")) {
    for (const Node* secret : Several(*forbid, "secrets")) {
      out.add_forbid_secrets(secret->text);
      names_->secrets.push_back({secret->text, secret->at});
    }
    for (const Node* pattern : Several(*forbid, "matches")) {
      NoteTemplates(pattern->text, pattern->at);
      out.add_forbid_matches(pattern->text);
    }
  }
  if (const Node* require = Get(node, "require")) {
    for (const Node* pattern : Several(*require, "matches")) {
      NoteTemplates(pattern->text, pattern->at);
      out.add_require_matches(pattern->text);
    }
  }
  if (out.forbid_secrets_size() + out.forbid_matches_size() +
          out.require_matches_size() ==
      0) {
    report_.Error(node.at, "logs: say what to forbid or to require");
  }
}

void Builder::FaultTarget(const std::string& name, const Place& at) {
  if (taken_names_.contains(name)) return;
  std::vector<std::string> names;
  for (const auto& [taken, unused] : taken_names_) names.push_back(taken);
  const std::string hint = DidYouMean(name, names);
  report_.Error(at,
                "there is nothing with the name \"" + name + "\" to disturb" +
                    (hint.empty() ? "; there is " + JoinNames(names) : hint));
}

// Replies in somebody's place are for wires whose protocol a tap speaks, and
// for stubs.
void Builder::FaultReply(const std::string& target, const Node& error) {
  if (!taken_names_.contains(target)) return;
  const std::string reply = error.text;
  const auto is_number = [&] {
    return reply.size() == 3 && std::ranges::all_of(reply, [](char c) {
             return c >= '0' && c <= '9';
           });
  };
  for (const auto& upstream : plan_.upstreams()) {
    if (upstream.name() != target) continue;
    if (is_number() && reply >= "200" && reply <= "599") return;
    return report_.Error(error.at,
                         "error: an upstream answers with a status from 200 "
                         "to 599, found " +
                             Describe(error));
  }
  for (const auto& sidecar : plan_.sidecars()) {
    if (sidecar.name() != target) continue;
    if (sidecar.kind() != plan::v1::Sidecar::KIND_POSTGRES ||
        !sidecar.tapped()) {
      break;
    }
    const bool code = std::ranges::all_of(reply, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
    if (reply.size() == 5 && code) return;
    return report_.Error(error.at,
                         "error: a PostgreSQL sidecar answers with an "
                         "SQLSTATE of five characters, such as \"53300\", "
                         "found " +
                             Describe(error));
  }
  report_.Error(error.at,
                "error: only upstreams and tapped PostgreSQL sidecars can be "
                "made to answer with an error; \"" +
                    target +
                    "\" can be refused, reset, cut, slowed, paused "
                    "and killed");
}

void Builder::Fault(const Node& node, plan::v1::FaultStep& out) {
  if (const Node* target = Get(node, "target")) {
    out.set_target(target->text);
    FaultTarget(target->text, target->at);
  }
  static constexpr std::array<std::string_view, 9> kActions = {
      "kill",      "pause", "refuse",    "latency", "jitter",
      "bandwidth", "reset", "cut_after", "error"};
  for (const std::string_view action : kActions) {
    const Node* value = Get(node, action);
    if (value == nullptr) continue;
    out.set_action(std::string(action));
    if (action == "latency" || action == "jitter") {
      out.set_argument_json(Operand(*value, Subject::kDuration));
    } else if (action == "bandwidth") {
      out.set_argument_json(
          std::to_string(ParseBandwidth(value->text).value_or(0)));
    } else if (action == "cut_after") {
      out.set_argument_json(std::to_string(ParseSize(value->text).value_or(0)));
    } else {
      out.set_argument_json(Json(*value));
    }
    if (action == "error") FaultReply(out.target(), *value);
    if (out.argument_json() == "false") {
      report_.Error(value->at, std::string(action) +
                                   ": leave it out, or end it with \"heal\"");
    }
  }
  if (Get(node, "for") != nullptr) {
    *out.mutable_duration() = ToProto(Time(node, "for", seconds(0)));
  }
  out.set_direction(Text(node, "direction"));
  if (out.direction().empty()) out.set_direction("both");
}

}  // namespace assay::suite
