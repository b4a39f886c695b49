#include "runner/suite/validator.h"

#include <algorithm>

#include "runner/suite/jsonpath.h"
#include "runner/suite/nearest.h"
#include "runner/suite/template.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

bool Accepts(const Shape& shape, const Node& node) {
  const bool scalar =
      node.kind == Node::Kind::kScalar || node.kind == Node::Kind::kNull;
  switch (shape.type) {
    case Type::kJson:
    case Type::kExpectation:
      return true;
    case Type::kObject:
    case Type::kMap:
    case Type::kQueries:
    case Type::kStep:
    case Type::kHttpStep:
      return node.kind == Node::Kind::kMap;
    case Type::kList:
      return node.kind == Node::Kind::kList;
    default:
      return scalar;
  }
}

bool IsScalarType(Type type) { return type < Type::kJson; }

std::vector<std::string> VerbNames(bool http_only) {
  std::vector<std::string> names;
  for (const Verb& verb : Verbs()) {
    if (!http_only || IsHttpVerb(verb.name)) names.push_back(verb.name);
  }
  return names;
}

std::string Quoted(std::string_view text) {
  return "\"" + Shorten(text, 60) + "\"";
}

}  // namespace

Validator::Validator(const Files& files, Report& report, std::string_view where)
    : files_(files), report_(report), where_(where) {}

void Validator::Bad(const Node& node, std::string message) {
  Bad(node, node.at, std::move(message));
}

void Validator::Bad(const Node& node, const Place& at, std::string message) {
  bad_.insert(&node);
  report_.Error(at, std::move(message));
}

void Validator::Check(const Node& node, const Object& object) {
  if (node.kind != Node::Kind::kMap) {
    Bad(node, "expected " + object.title + " (a mapping with " +
                  JoinNames(object.Names(), "or") + "), found " +
                  Describe(node));
    return;
  }
  for (const Node::Entry& entry : node.entries) {
    const Key* key = object.Find(entry.key);
    if (key == nullptr) {
      const std::string hint = DidYouMean(entry.key, object.Names());
      report_.Error(
          entry.key_at,
          "unknown key " + Quoted(entry.key) + " in " + object.title +
              (hint.empty() ? "; its keys are " + JoinNames(object.Names())
                            : hint));
      continue;
    }
    CheckShapes(*entry.value, key->shapes, entry.key);
  }
  for (const Key& key : object.keys) {
    if (key.required && node.Find(key.name) == nullptr) {
      report_.Error(node.at,
                    object.title + " needs the key " + Quoted(key.name));
    }
  }
  CheckGroups(node, object);
}

void Validator::CheckGroups(const Node& node, const Object& object) {
  for (const Group& group : object.groups) {
    const Node::Entry* first = nullptr;
    for (const Node::Entry& entry : node.entries) {
      if (std::find(group.keys.begin(), group.keys.end(), entry.key) ==
          group.keys.end()) {
        continue;
      }
      if (first != nullptr) {
        report_.Error(entry.key_at, "found both " + Quoted(first->key) +
                                        " and " + Quoted(entry.key) + "; " +
                                        object.title + " takes one of " +
                                        JoinNames(group.keys, "or"));
        break;
      }
      first = &entry;
    }
    if (first == nullptr && group.required) {
      Bad(node, object.title + " needs one of " + JoinNames(group.keys, "or"));
    }
  }
}

void Validator::CheckShapes(const Node& node, const std::vector<Shape>& shapes,
                            Label label) {
  std::vector<const Shape*> fitting;
  for (const Shape& shape : shapes) {
    if (Accepts(shape, node)) fitting.push_back(&shape);
  }
  if (fitting.size() == 1) {
    CheckShape(node, *fitting[0], label);
    return;
  }
  for (const Shape* shape : fitting) {
    if (CheckScalar(node, *shape).empty()) return;
  }
  std::vector<std::string> expected;
  for (const Shape& shape : shapes) expected.push_back(ShapeText(shape));
  Bad(node, std::string(label) + ": expected " + JoinNames(expected, "or") +
                ", found " + Describe(node));
}

void Validator::CheckShape(const Node& node, const Shape& shape, Label label) {
  if (IsScalarType(shape.type)) {
    const std::string wrong = CheckScalar(node, shape);
    if (!wrong.empty()) Bad(node, std::string(label) + ": " + wrong);
    return;
  }
  switch (shape.type) {
    case Type::kJson:
      return CheckJson(node);
    case Type::kExpectation:
      return CheckExpectation(node, shape.subject, label);
    case Type::kQueries:
      return CheckQueries(node);
    case Type::kObject:
      return Check(node, shape.object());
    case Type::kStep:
      return CheckStep(node, false);
    case Type::kHttpStep:
      return CheckStep(node, true);
    case Type::kMap:
      CheckNames(node);
      for (const Node::Entry& entry : node.entries) {
        CheckShapes(*entry.value, shape.element, entry.key);
      }
      return;
    default:
      break;
  }
  const double size = static_cast<double>(node.items.size());
  if (size < shape.least || size > shape.most) {
    const int bound =
        static_cast<int>(size < shape.least ? shape.least : shape.most);
    Bad(node, std::string(label) + ": expected at " +
                  (size < shape.least ? "least " : "most ") +
                  std::to_string(bound) + (bound == 1 ? " entry" : " entries") +
                  ", found " + std::to_string(node.items.size()));
  }
  for (const auto& item : node.items) {
    CheckShapes(*item, shape.element, label);
  }
}

void Validator::CheckNames(const Node& map) {
  for (const Node::Entry& entry : map.entries) {
    if (entry.key.empty()) {
      report_.Error(entry.key_at, "found an empty name");
    } else if (const auto references = TemplateReferences(entry.key);
               !references || !references->empty()) {
      report_.Error(entry.key_at,
                    "names cannot hold templates, found " + Quoted(entry.key));
    }
  }
}

void Validator::CheckJson(const Node& node) {
  if (node.kind == Node::Kind::kScalar) {
    const std::string wrong = CheckJsonScalar(node);
    if (!wrong.empty()) return Bad(node, wrong);
    if (const auto references = TemplateReferences(node.text); !references) {
      Bad(node, references.error().message);
    }
  }
  for (const auto& item : node.items) CheckJson(*item);
  for (const Node::Entry& entry : node.entries) {
    if (const auto references = TemplateReferences(entry.key); !references) {
      report_.Error(entry.key_at, references.error().message);
    }
    CheckJson(*entry.value);
  }
}

void Validator::CheckQueries(const Node& node) {
  for (const Node::Entry& entry : node.entries) {
    const auto path = JsonPath::Parse(entry.key);
    if (!path) {
      Bad(*entry.value, entry.key_at,
          "not a JSONPath: " + path.error().message);
      continue;
    }
    CheckExpectation(*entry.value,
                     path->singular() ? Subject::kValue : Subject::kNodes,
                     entry.key);
  }
}

std::vector<const Node::Entry*> VerbsOf(const Node& step) {
  std::vector<const Node::Entry*> verbs;
  for (const Node::Entry& entry : step.entries) {
    if (FindVerb(entry.key) != nullptr) verbs.push_back(&entry);
  }
  return verbs;
}

void Validator::CheckStep(const Node& node, bool http_only) {
  const std::vector<const Node::Entry*> verbs = VerbsOf(node);
  if (verbs.size() == 1) {
    if (http_only && !IsHttpVerb(verbs[0]->key)) {
      return Bad(node, verbs[0]->key_at,
                 "only an HTTP request can stand here, found " +
                     Quoted(verbs[0]->key));
    }
    return Check(node, FindVerb(verbs[0]->key)->object());
  }
  if (verbs.size() > 1) {
    return Bad(node, verbs[1]->key_at,
               "a step has exactly one verb, found " + Quoted(verbs[0]->key) +
                   " and " + Quoted(verbs[1]->key) +
                   "; start a new step with \"- \"");
  }
  const std::vector<std::string> names = VerbNames(http_only);
  for (const Node::Entry& entry : node.entries) {
    // Keys that steps have anyway are no misspelled verbs.
    if (HttpStepObject().Find(entry.key) != nullptr) continue;
    const std::string hint = DidYouMean(entry.key, names);
    if (hint.empty()) continue;
    return Bad(node, entry.key_at, "unknown verb " + Quoted(entry.key) + hint);
  }
  Bad(node, "a step needs one verb: " + JoinNames(names, "or"));
}

}  // namespace assay::suite
