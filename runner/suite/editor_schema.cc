#include "runner/suite/editor_schema.h"

#include <algorithm>

#include "runner/suite/language.h"
#include "runner/suite/object_names.h"
#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

using Json = nlohmann::ordered_json;

Json Ref(const std::string& name) {
  return {{"$ref", "#/definitions/" + name}};
}

// A text with a template in it can stand for a value of any type.
const char* const kTemplatePattern = "\\{\\{";

Json OfShapes(const std::vector<Shape>& shapes);

Json Scalar() { return {{"type", {"string", "number", "boolean"}}}; }

Json Pattern(const char* pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

std::string ExpectationName(Subject subject) {
  switch (subject) {
    case Subject::kStatus:
      return "expectStatus";
    case Subject::kText:
      return "expectText";
    case Subject::kNumber:
      return "expectNumber";
    case Subject::kDuration:
      return "expectDuration";
    case Subject::kFraction:
      return "expectPercentage";
    case Subject::kValue:
      return "expectValue";
    case Subject::kNodes:
      return "expectNodes";
  }
  return "expectValue";
}

Json Number(const Shape& shape) {
  Json schema = {{"type", shape.type == Type::kInteger ? "integer" : "number"}};
  schema["minimum"] = shape.least;
  if (shape.most < 1e15) schema["maximum"] = shape.most;
  return schema;
}

Json List(const Shape& shape) {
  Json schema = {{"type", "array"}, {"items", OfShapes(shape.element)}};
  if (shape.least > 0) schema["minItems"] = static_cast<int>(shape.least);
  return schema;
}

Json OfShape(const Shape& shape) {
  switch (shape.type) {
    case Type::kText:
    case Type::kTemplate:
    case Type::kRegex:
      return Scalar();
    case Type::kPath:
      return Pattern("^(/|\\{\\{)");
    case Type::kName:
      return Pattern("^[A-Za-z_][A-Za-z0-9_-]*$");
    case Type::kId:
      return {{"type", {"string", "integer"}},
              {"pattern", "^[a-z0-9][a-z0-9-]*$"}};
    case Type::kBool:
      return {{"type", "boolean"}};
    case Type::kInteger:
    case Type::kNumber:
      return Number(shape);
    case Type::kDuration:
      return Pattern("^([0-9.]+(us|ms|s|m|h|d))+$");
    case Type::kSize:
      return Pattern("^[0-9.]+(B|KiB|MiB|GiB|kB|MB|GB)$");
    case Type::kBandwidth:
      return Pattern("^[0-9.]+(B|KiB|MiB|GiB|kB|MB|GB)/s$");
    case Type::kRate:
      return Pattern("^[0-9.]+/(s|m|h)$");
    case Type::kPercentage:
      return Pattern("^[0-9.]+%$");
    case Type::kChoice: {
      Json values = Json::array();
      for (const std::string& choice : shape.choices) {
        // An unquoted 2 is a number to an editor.
        values.push_back(choice);
        const Json number = Json::parse(choice, nullptr, false);
        if (number.is_number()) values.push_back(number);
      }
      return {{"enum", values}};
    }
    case Type::kFile:
    case Type::kFolder:
      return {{"type", "string"}, {"minLength", 1}};
    case Type::kJsonPath:
      return Pattern("^\\$");
    case Type::kJson:
      return true;
    case Type::kExpectation:
      return Ref(ExpectationName(shape.subject));
    case Type::kQueries:
      return Ref("queries");
    case Type::kObject:
      return Ref(ObjectName(shape.object()));
    case Type::kList:
      return List(shape);
    case Type::kMap:
      return {{"type", "object"},
              {"additionalProperties", OfShapes(shape.element)}};
    case Type::kStep:
      return Ref("step");
    case Type::kHttpStep:
      return Ref(ObjectName(HttpStepObject()));
  }
  return true;
}

Json OfShapes(const std::vector<Shape>& shapes) {
  if (shapes.size() == 1) return OfShape(shapes[0]);
  Json all = Json::array();
  for (const Shape& shape : shapes) all.push_back(OfShape(shape));
  return {{"anyOf", all}};
}

Json OfObject(const Object& object) {
  Json schema = {{"type", "object"}, {"description", object.doc}};
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key& key : object.keys) {
    Json property = OfShapes(key.shapes);
    // Draft 7 ignores what stands beside a $ref.
    if (property.is_boolean()) {
      property = Json::object();
    } else if (property.contains("$ref")) {
      property = {{"allOf", Json::array({property})}};
    }
    property["description"] = key.fallback.empty()
                                  ? key.doc
                                  : key.doc + " Default: " + key.fallback + ".";
    properties[key.name] = std::move(property);
    if (key.required) required.push_back(key.name);
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  for (const Group& group : object.groups) {
    if (!group.required) continue;
    Json each = Json::array();
    for (const std::string& key : group.keys) {
      each.push_back({{"required", {key}}});
    }
    schema["oneOf"] = std::move(each);
  }
  return schema;
}

// Steps are told apart by their verb, so that an editor offers the keys of the
// right one.
Json StepSchema() {
  std::vector<const Object*> objects;
  Json conditions = Json::array();
  Json verbs = Json::array();
  for (const Verb& verb : Verbs()) {
    verbs.push_back({{"required", {verb.name}}});
    conditions.push_back({{"if", {{"required", {verb.name}}}},
                          {"then", Ref(ObjectName(verb.object()))}});
  }
  return {{"type", "object"},
          {"description", "A step: exactly one verb and its keys."},
          {"oneOf", verbs},
          {"allOf", conditions}};
}

Json OperandOf(const MatcherRule& rule, Subject subject, const Json& scalar) {
  using Op = plan::v1::Matcher;
  switch (rule.op) {
    case Op::OP_IN:
      return {{"type", "array"}, {"items", scalar}, {"minItems", 1}};
    case Op::OP_COUNT:
    case Op::OP_LEN:
      return Ref(ExpectationName(Subject::kNumber));
    case Op::OP_NOT:
      return Ref(ExpectationName(subject));
    case Op::OP_ALL:
    case Op::OP_ANY:
      return Ref(ExpectationName(Subject::kValue));
    case Op::OP_EXISTS:
      return {{"type", "boolean"}};
    case Op::OP_TYPE:
      return {{"enum",
               {"string", "number", "integer", "boolean", "null", "object",
                "array"}}};
    case Op::OP_MATCHES:
    case Op::OP_STARTS:
    case Op::OP_ENDS:
      return Scalar();
    default:
      return scalar;
  }
}

Json ScalarOf(Subject subject) {
  const Json with_template = Pattern(kTemplatePattern);
  switch (subject) {
    case Subject::kStatus:
      return {{"anyOf",
               Json::array(
                   {{{"type", "integer"}, {"minimum", 100}, {"maximum", 599}},
                    Pattern("^[1-5](xx|[0-9][0-9])$"),
                    with_template})}};
    case Subject::kNumber:
      return {{"anyOf", Json::array({{{"type", "number"}}, with_template})}};
    case Subject::kDuration:
      return {{"anyOf", Json::array({OfShape({.type = Type::kDuration}),
                                     with_template})}};
    case Subject::kFraction:
      return {{"anyOf", Json::array({OfShape({.type = Type::kPercentage}),
                                     with_template})}};
    case Subject::kText:
      return Scalar();
    default:
      return true;
  }
}

Json ExpectationSchema(Subject subject) {
  const Json scalar = ScalarOf(subject);
  Json properties = Json::object();
  for (const MatcherRule& rule : Matchers()) {
    if (!Allows(rule, subject)) continue;
    Json operand = OperandOf(rule, subject, scalar);
    if (operand.is_boolean()) operand = Json::object();
    if (operand.contains("$ref")) {
      operand = {{"allOf", Json::array({operand})}};
    }
    operand["description"] = rule.doc;
    properties[rule.name] = std::move(operand);
  }
  const Json matchers = {{"type", "object"},
                         {"properties", properties},
                         {"minProperties", 1},
                         {"additionalProperties", false}};
  if (subject == Subject::kNodes || subject == Subject::kDuration ||
      subject == Subject::kFraction) {
    return matchers;
  }
  Json alternatives = Json::array({matchers});
  if (subject == Subject::kValue) {
    alternatives.push_back(
        {{"type", {"string", "number", "boolean", "null", "array"}}});
  } else {
    alternatives.push_back(scalar);
  }
  if (subject == Subject::kStatus) {
    alternatives.push_back(
        {{"type", "array"}, {"items", scalar}, {"minItems", 1}});
  }
  return {{"anyOf", alternatives}};
}

Json WithDefinitions(const Object& root, const std::string& title) {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", title}};
  schema.update(OfObject(root));
  Json definitions = Json::object();
  for (const Object* object : AllObjects()) {
    definitions[ObjectName(*object)] = OfObject(*object);
  }
  definitions["step"] = StepSchema();
  for (const Subject subject :
       {Subject::kStatus, Subject::kText, Subject::kNumber, Subject::kDuration,
        Subject::kFraction, Subject::kValue, Subject::kNodes}) {
    definitions[ExpectationName(subject)] = ExpectationSchema(subject);
  }
  // Whether a query yields one node is for the compiler to say.
  definitions["queries"] = {
      {"type", "object"},
      {"propertyNames", {{"pattern", "^\\$"}}},
      {"additionalProperties",
       {{"anyOf", Json::array({Ref(ExpectationName(Subject::kValue)),
                               Ref(ExpectationName(Subject::kNodes))})}}}};
  schema["definitions"] = std::move(definitions);
  return schema;
}

// Only what `root` refers to; no steps.
Json WithOwnDefinitions(const Object& root, const std::string& title) {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", title}};
  schema.update(OfObject(root));
  Json definitions = Json::object();
  for (const Object* object : ObjectsBelow(root)) {
    definitions[ObjectName(*object)] = OfObject(*object);
  }
  schema["definitions"] = std::move(definitions);
  return schema;
}

}  // namespace

std::string ObjectName(const Object& object) {
  std::string name;
  bool upper = false;
  std::string title = object.title;
  for (const std::string_view article : {"a ", "an "}) {
    if (title.starts_with(article)) title = title.substr(article.size());
  }
  bool first_word = true;
  for (const char c : title) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0) {
      upper = true;
      first_word = false;
      continue;
    }
    name += static_cast<char>(first_word ? std::tolower(byte)
                              : upper    ? std::toupper(byte)
                                         : c);
    upper = false;
  }
  return name;
}

nlohmann::ordered_json EditorSchema() {
  return WithDefinitions(SuiteObject(), "Assay suite");
}

nlohmann::ordered_json RubricSchema() {
  return WithOwnDefinitions(RubricObject(), "Assay rubric");
}

nlohmann::ordered_json VerificationSchema() {
  return WithOwnDefinitions(VerificationObject(), "Assay verification");
}

}  // namespace assay::suite
