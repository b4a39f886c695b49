#include "runner/suite/language.h"

#include <algorithm>

#include "runner/suite/language_objects.h"

namespace assay::suite {
namespace {

using Op = plan::v1::Matcher;

const std::vector<Subject> kOrdered = {Subject::kStatus, Subject::kNumber,
                                       Subject::kDuration, Subject::kFraction,
                                       Subject::kValue};
const std::vector<Subject> kEqual = {Subject::kStatus, Subject::kNumber,
                                     Subject::kText, Subject::kValue};
const std::vector<Subject> kTexts = {Subject::kText, Subject::kValue};

void Collect(const Object& object, std::vector<const Object*>& found);

void Collect(const Shape& shape, std::vector<const Object*>& found) {
  if (shape.object != nullptr) Collect(shape.object(), found);
  for (const Shape& element : shape.element) Collect(element, found);
  if (shape.type == Type::kStep || shape.type == Type::kHttpStep) {
    for (const Verb& verb : Verbs()) {
      if (shape.type == Type::kStep || IsHttpVerb(verb.name)) {
        Collect(verb.object(), found);
      }
    }
  }
}

void Collect(const Object& object, std::vector<const Object*>& found) {
  if (std::find(found.begin(), found.end(), &object) != found.end()) return;
  found.push_back(&object);
  for (const Key& key : object.keys) {
    for (const Shape& shape : key.shapes) Collect(shape, found);
  }
}

}  // namespace

const Key* Object::Find(std::string_view key) const {
  for (const Key& known : keys) {
    if (known.name == key) return &known;
  }
  return nullptr;
}

std::vector<std::string> Object::Names() const {
  std::vector<std::string> names;
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> kVerbs = {
      {"get", HttpStepObject},        {"post", HttpStepObject},
      {"put", HttpStepObject},        {"patch", HttpStepObject},
      {"delete", HttpStepObject},     {"head", HttpStepObject},
      {"options", HttpStepObject},    {"request", HttpStepObject},
      {"graphql", GraphqlStepObject}, {"sql", SqlStepObject},
      {"redis", RedisStepObject},     {"use", UseStepObject},
      {"load", LoadStepObject},       {"burst", BurstStepObject},
      {"fault", FaultStepObject},     {"heal", HealStepObject},
      {"restart", RestartStepObject}, {"trace", TraceStepObject},
      {"logs", LogsStepObject},       {"metrics", MetricsStepObject},
      {"command", CommandStepObject}, {"websocket", WebsocketStepObject},
      {"events", EventsStepObject},   {"grpc", GrpcStepObject},
      {"mutants", MutantsStepObject}, {"wait", WaitStepObject},
  };
  return kVerbs;
}

const Verb* FindVerb(std::string_view name) {
  for (const Verb& verb : Verbs()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

bool IsHttpVerb(std::string_view name) {
  const Verb* verb = FindVerb(name);
  return verb != nullptr && verb->object == HttpStepObject;
}

const std::vector<MatcherRule>& Matchers() {
  static const std::vector<MatcherRule> kMatchers = {
      {"eq", Op::OP_EQ, kEqual,
       "Equals this value. A scalar by itself means the same; objects and "
       "arrays are compared whole, numbers by value (`1` equals `1.0`)."},
      {"ne", Op::OP_NE, kEqual, "Is there and differs from this value."},
      {"gt", Op::OP_GT, kOrdered, "Is greater."},
      {"gte", Op::OP_GTE, kOrdered, "Is greater or equal."},
      {"lt", Op::OP_LT, kOrdered, "Is less."},
      {"lte", Op::OP_LTE, kOrdered, "Is less or equal."},
      {"in", Op::OP_IN, kEqual, "Equals one of this list."},
      {"matches", Op::OP_MATCHES, kTexts,
       "Is a text in which this RE2 pattern is found; anchor it with `^` and "
       "`$`."},
      {"contains",
       Op::OP_CONTAINS,
       {Subject::kText, Subject::kValue, Subject::kNodes},
       "A text has this part; an array has an equal element; an object has at "
       "least these members; a list of nodes has an equal node."},
      {"starts", Op::OP_STARTS, kTexts, "Is a text that starts with this."},
      {"ends", Op::OP_ENDS, kTexts, "Is a text that ends with this."},
      {"type",
       Op::OP_TYPE,
       {Subject::kValue},
       "Is of this JSON type: string, number, integer, boolean, null, object "
       "or array."},
      {"exists",
       Op::OP_EXISTS,
       {Subject::kText, Subject::kValue, Subject::kNodes},
       "`true`: there is a value, `null` included. `false`: there is none."},
      {"count",
       Op::OP_COUNT,
       {Subject::kNodes},
       "The query yields so many nodes: a number or matchers of one."},
      {"len", Op::OP_LEN, kTexts,
       "Characters of a text, elements of an array, members of an object: a "
       "number or matchers of one."},
      {"not",
       Op::OP_NOT,
       {Subject::kStatus, Subject::kText, Subject::kNumber, Subject::kValue},
       "The matchers inside do not all hold."},
      {"all",
       Op::OP_ALL,
       {Subject::kValue, Subject::kNodes},
       "Every element of the array, or every node, is as described; there is "
       "at least one."},
      {"any",
       Op::OP_ANY,
       {Subject::kValue, Subject::kNodes},
       "At least one element of the array, or one node, is as described."},
  };
  return kMatchers;
}

const MatcherRule* FindMatcher(std::string_view name) {
  for (const MatcherRule& rule : Matchers()) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

bool Allows(const MatcherRule& rule, Subject subject) {
  return std::find(rule.subjects.begin(), rule.subjects.end(), subject) !=
         rule.subjects.end();
}

std::string SubjectText(Subject subject) {
  switch (subject) {
    case Subject::kStatus:
      return "a status";
    case Subject::kText:
      return "a text";
    case Subject::kNumber:
      return "a number";
    case Subject::kDuration:
      return "a duration";
    case Subject::kFraction:
      return "a percentage";
    case Subject::kValue:
      return "a value";
    case Subject::kNodes:
      return "a query that can yield several nodes";
  }
  return "a value";
}

const std::vector<Builtin>& Builtins() {
  static const std::vector<Builtin> kBuiltins = {
      {"port", "The service's main port; `{{ports.NAME}}` a named one."},
      {"ports", "Named ports of the first service, by name."},
      {"services",
       "The suite's services: `{{services.NAME.url}}`, `.host`, `.port`."},
      {"sidecars",
       "The suite's sidecars: `{{sidecars.NAME.url}}`, `.host`, `.port`."},
      {"upstreams",
       "The services that the runner plays: `{{upstreams.NAME.url}}`."},
      {"secrets", "The suite's secrets: `{{secrets.NAME}}`."},
      {"case", "The current row of `cases`: `{{case.NAME}}`."},
      {"run", "This run: `{{run.seed}}`, a number that repeats with it."},
      {"uuid", "A new version 4 UUID for each use."},
      {"hex16", "16 new random hexadecimal digits for each use."},
      {"number", "A new random number from 1 to 1,000,000 for each use."},
      {"now", "The time of use, RFC 3339 in UTC."},
      {"unix_time", "The time of use in seconds since 1970."},
  };
  return kBuiltins;
}

std::vector<const Object*> AllObjects() {
  std::vector<const Object*> found;
  Collect(SuiteObject(), found);
  Collect(IncludedObject(), found);
  Collect(RubricObject(), found);
  Collect(VerificationObject(), found);
  return found;
}

std::vector<const Object*> ObjectsBelow(const Object& root) {
  std::vector<const Object*> found;
  Collect(root, found);
  return found;
}

}  // namespace assay::suite
