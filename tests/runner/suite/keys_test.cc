// Every key of the language's table: a value as the table describes it loads, a
// value of another kind is refused at its place, and a misspelt name is told
// with the nearest one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "runner/suite/language.h"
#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

using ::testing::HasSubstr;

std::string SampleOf(const Shape& shape);

std::string SampleOf(Subject subject) {
  switch (subject) {
    case Subject::kStatus:
      return "200";
    case Subject::kDuration:
      return "{ lte: 1s }";
    case Subject::kFraction:
      return "{ lte: 1% }";
    case Subject::kNodes:
      return "{ count: 1 }";
    default:
      return "1";
  }
}

// Keys without which the object is refused, by name.
std::map<std::string, std::string> Needed(const Object& object) {
  std::map<std::string, std::string> keys;
  const auto add = [&](const std::string& name) {
    keys[name] = SampleOf(object.Find(name)->shapes[0]);
  };
  for (const Key& key : object.keys) {
    if (key.required) add(key.name);
  }
  for (const Group& group : object.groups) {
    if (group.required) add(group.keys[0]);
  }
  for (const Verb& verb : Verbs()) {
    if (&verb.object() != &object) continue;
    add(verb.name);
    break;
  }
  return keys;
}

std::string Mapping(const std::map<std::string, std::string>& keys) {
  std::string text;
  for (const auto& [name, value] : keys) {
    text += (text.empty() ? "" : ", ") + name + ": " + value;
  }
  return "{ " + text + " }";
}

std::string Scalar(const Shape& shape) {
  static const std::map<Type, std::string> kSamples = {
      {Type::kPath, "/x"},          {Type::kBool, "true"},
      {Type::kDuration, "1s"},      {Type::kSize, "1MiB"},
      {Type::kBandwidth, "1MiB/s"}, {Type::kRate, "1/s"},
      {Type::kPercentage, "1%"},    {Type::kFile, "a/f.txt"},
      {Type::kFolder, "a/"},        {Type::kJsonPath, "$.a"}};
  if (shape.type == Type::kChoice) return shape.choices[0];
  if (shape.type == Type::kInteger || shape.type == Type::kNumber) {
    return std::to_string(static_cast<int>(shape.least) + (shape.least < 1));
  }
  const auto known = kSamples.find(shape.type);
  return known == kSamples.end() ? "a" : known->second;
}

std::string SampleOf(const Shape& shape) {
  switch (shape.type) {
    case Type::kExpectation:
      return SampleOf(shape.subject);
    case Type::kQueries:
      return "{ $.a: 1 }";
    case Type::kObject:
      return Mapping(Needed(shape.object()));
    case Type::kList: {
      std::string items = SampleOf(shape.element[0]);
      for (int i = 1; i < shape.least; ++i) {
        items += ", " + SampleOf(shape.element[0]);
      }
      return "[ " + items + " ]";
    }
    case Type::kMap:
      return "{ name: " + SampleOf(shape.element[0]) + " }";
    case Type::kStep:
      return "{ wait: 1s }";
    case Type::kHttpStep:
      return "{ get: / }";
    default:
      return Scalar(shape);
  }
}

Diagnostics Said(const std::string& text, const Object& object) {
  const Files files = {{"a/f.txt", ""}};
  Report report;
  const auto tree = ParseYaml("assay.yaml", text, report.errors());
  if (tree != nullptr) Validator(files, report).Check(*tree, object);
  return report.TakeErrors();
}

// The needed keys with `name` among them, last and in a line of its own;
// others of its group make room.
std::string With(const Object& object, const std::string& name,
                 const std::string& written, const std::string& value) {
  auto keys = Needed(object);
  for (const Group& group : object.groups) {
    if (std::ranges::find(group.keys, name) == group.keys.end()) continue;
    for (const std::string& other : group.keys) keys.erase(other);
  }
  // Any HTTP verb will do, but only one.
  if (IsHttpVerb(name)) {
    std::erase_if(keys, [](const auto& key) { return IsHttpVerb(key.first); });
  }
  keys.erase(name);
  const std::string rest = Mapping(keys);
  return (keys.empty() ? "{" : rest.substr(0, rest.size() - 2) + ",") + "\n" +
         written + ": " + value + " }";
}

bool Anything(const Shape& shape) {
  return shape.type == Type::kJson || shape.type == Type::kExpectation;
}

// Of no kind that the key takes; empty where it takes every kind.
std::string WrongFor(const Key& key) {
  if (std::ranges::any_of(key.shapes, Anything)) return "";
  const auto lists = std::ranges::count(key.shapes, Type::kList, &Shape::type);
  if (lists == 0) return "[ [ 1 ] ]";
  const bool only = std::ranges::all_of(key.shapes, [](const Shape& shape) {
    return shape.type == Type::kList || shape.type == Type::kMap;
  });
  return only ? "5" : "";
}

std::string Where(const Object& object, const Key& key) {
  return key.name + " in " + object.title;
}

TEST(KeysTest, EachKeyLoads) {
  int keys = 0;
  for (const Object* object : AllObjects()) {
    for (const Key& key : object->keys) {
      for (const Shape& shape : key.shapes) {
        const std::string text =
            With(*object, key.name, key.name, SampleOf(shape));
        EXPECT_EQ(ToText(Said(text, *object)), "")
            << Where(*object, key) << ":\n"
            << text;
        ++keys;
      }
    }
  }
  EXPECT_GT(keys, 250);
}

TEST(KeysTest, AValueOfAnotherKindIsRefusedAtItsPlace) {
  int refused = 0;
  for (const Object* object : AllObjects()) {
    for (const Key& key : object->keys) {
      const std::string wrong = WrongFor(key);
      if (wrong.empty()) continue;
      const Diagnostics said =
          Said(With(*object, key.name, key.name, wrong), *object);
      ASSERT_FALSE(said.empty()) << Where(*object, key);
      EXPECT_EQ(said[0].line, 2) << Where(*object, key);
      EXPECT_GE(said[0].column, static_cast<int>(key.name.size()) + 3);
      EXPECT_THAT(said[0].message, HasSubstr("expected"))
          << Where(*object, key);
      ++refused;
    }
  }
  EXPECT_GT(refused, 150);
}

TEST(KeysTest, AMisspeltKeyIsToldWithTheNearest) {
  for (const Object* object : AllObjects()) {
    for (const Key& key : object->keys) {
      const std::string wrong = key.name + "x";
      // The only verb of a step, misspelt, is another mistake.
      if (FindVerb(key.name) != nullptr) continue;
      const Diagnostics said =
          Said(With(*object, key.name, wrong, "1"), *object);
      const auto unknown =
          std::ranges::find_if(said, [](const Diagnostic& one) {
            return one.message.starts_with("unknown key");
          });
      ASSERT_NE(unknown, said.end()) << Where(*object, key);
      EXPECT_EQ(unknown->line, 2) << Where(*object, key);
      EXPECT_EQ(unknown->column, 1) << Where(*object, key);
      // Of names this short, half would be another name.
      if (key.name.size() < 3) continue;
      EXPECT_THAT(unknown->message, HasSubstr("did you mean \"" + key.name))
          << Where(*object, key);
    }
  }
}

TEST(KeysTest, ANeededKeyIsMissed) {
  for (const Object* object : AllObjects()) {
    for (const Key& key : object->keys) {
      if (!key.required) continue;
      auto keys = Needed(*object);
      keys.erase(key.name);
      EXPECT_THAT(ToText(Said(Mapping(keys), *object)),
                  HasSubstr("needs the key \"" + key.name + "\""))
          << Where(*object, key);
    }
  }
}

}  // namespace
}  // namespace assay::suite
