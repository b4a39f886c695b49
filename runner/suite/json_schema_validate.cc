// Validation against a loaded schema.

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "runner/suite/json_schema.h"
#include "runner/suite/json_schema_set.h"
#include "runner/suite/json_text.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

using nlohmann::json;
using schema::Set;

constexpr std::size_t kMaxViolations = 20;
// Schemas applied to values; a schema may apply many to each.
constexpr std::size_t kMaxSteps = 2'000'000;
// Of schemas that lead to each other.
constexpr int kMaxDepth = 600;

struct TooMuch {};

bool IsInteger(const json& value) {
  if (value.is_number_integer()) return true;
  return value.is_number_float() &&
         value.get<double>() == std::floor(value.get<double>());
}

bool HasType(const json& value, const std::string& type) {
  if (type == "integer") return IsInteger(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "object") return value.is_object();
  return type == "array" && value.is_array();
}

bool IsMultiple(const json& value, const json& of) {
  if (value.is_number_integer() && of.is_number_integer()) {
    return value.get<std::int64_t>() % of.get<std::int64_t>() == 0;
  }
  const double v = value.get<double>();
  const double m = of.get<double>();
  const double quotient = v / m;
  if (!std::isfinite(quotient)) return std::fmod(v, m) == 0;
  // 0.0075 is 75 times 0.0001, though not in binary.
  return std::fabs(quotient - std::round(quotient)) <=
         1e-9 * std::max(1.0, std::fabs(quotient)) * 1e-3;
}

bool HasRepetition(const json& array) {
  std::vector<const json*> sorted;
  for (const json& item : array) sorted.push_back(&item);
  const auto less = [](const json* a, const json* b) { return *a < *b; };
  std::sort(sorted.begin(), sorted.end(), less);
  return std::adjacent_find(sorted.begin(), sorted.end(),
                            [](const json* a, const json* b) {
                              return *a == *b;
                            }) != sorted.end();
}

std::string Escaped(const std::string& name) {
  std::string token;
  for (const char c : name) {
    token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return token;
}

class Validation {
 public:
  explicit Validation(const Set& set) : set_(set) {}

  std::vector<SchemaViolation> Run(const json& value) {
    try {
      Check(*set_.root, value, 0);
    } catch (const TooMuch&) {
      pointer_.clear();
      violations_.clear();
      quiet_ = 0;
      Violate("takes too long to hold against the schema");
    }
    return std::move(violations_);
  }

 private:
  // Adds to the pointer while it lives.
  class At {
   public:
    At(Validation& validation, const std::string& token)
        : pointer_(validation.pointer_), size_(pointer_.size()) {
      pointer_ += "/" + Escaped(token);
    }
    ~At() { pointer_.resize(size_); }

   private:
    std::string& pointer_;
    std::size_t size_;
  };

  bool Violate(std::string message) {
    if (quiet_ == 0 && violations_.size() < kMaxViolations) {
      violations_.push_back({pointer_, std::move(message)});
    }
    return false;
  }

  // Whether the value would do, without reporting why not.
  bool Holds(const json& schema, const json& value, int depth) {
    ++quiet_;
    const bool holds = Check(schema, value, depth);
    --quiet_;
    return holds;
  }

  bool Check(const json& schema, const json& value, int depth) {
    if (++steps_ > kMaxSteps || depth > kMaxDepth) throw TooMuch{};
    if (schema.is_boolean()) {
      return schema.get<bool>() || Violate("nothing is allowed here");
    }
    const auto target = set_.targets.find(&schema);
    // Beside a $ref, draft 7 ignores everything.
    if (target != set_.targets.end()) {
      return Check(*target->second, value, depth + 1);
    }
    bool valid = CheckAny(schema, value);
    if (value.is_number()) valid &= CheckNumber(schema, value);
    if (value.is_string()) valid &= CheckString(schema, value);
    if (value.is_array()) valid &= CheckArray(schema, value, depth);
    if (value.is_object()) valid &= CheckObject(schema, value, depth);
    valid &= CheckCombinations(schema, value, depth);
    return valid & CheckCondition(schema, value, depth);
  }

  static const json* Keyword(const json& schema, const char* name) {
    const auto it = schema.find(name);
    return it == schema.end() ? nullptr : &*it;
  }

  bool CheckAny(const json& schema, const json& value) {
    bool valid = true;
    if (const json* type = Keyword(schema, "type")) {
      const bool fits =
          type->is_string()
              ? HasType(value, type->get_ref<const std::string&>())
              : std::any_of(type->begin(), type->end(), [&](const json& one) {
                  return one.is_string() &&
                         HasType(value, one.get_ref<const std::string&>());
                });
      if (!fits) {
        valid = Violate("is " + JsonText(value, 60) + ", expected type " +
                        JsonText(*type, 60));
      }
    }
    if (const json* allowed = Keyword(schema, "enum")) {
      if (std::find(allowed->begin(), allowed->end(), value) ==
          allowed->end()) {
        valid = Violate("is " + JsonText(value, 60) + ", expected one of " +
                        JsonText(*allowed));
      }
    }
    if (const json* constant = Keyword(schema, "const")) {
      if (*constant != value) {
        valid = Violate("is " + JsonText(value, 60) + ", expected " +
                        JsonText(*constant));
      }
    }
    return valid;
  }

  bool CheckNumber(const json& schema, const json& value) {
    bool valid = true;
    const auto bound = [&](const char* name, auto holds, const char* text) {
      const json* limit = Keyword(schema, name);
      if (limit == nullptr || holds(value, *limit)) return;
      valid = Violate("is " + JsonText(value) + ", expected " + text + " " +
                      JsonText(*limit));
    };
    bound(
        "minimum", [](const json& v, const json& l) { return v >= l; },
        "at least");
    bound(
        "maximum", [](const json& v, const json& l) { return v <= l; },
        "at most");
    bound(
        "exclusiveMinimum", [](const json& v, const json& l) { return v > l; },
        "more than");
    bound(
        "exclusiveMaximum", [](const json& v, const json& l) { return v < l; },
        "less than");
    bound("multipleOf", IsMultiple, "a multiple of");
    return valid;
  }

  // minLength and its like.
  bool CheckSize(const json& schema, const char* least, const char* most,
                 std::size_t size, const char* unit) {
    const json* low = Keyword(schema, least);
    const json* high = Keyword(schema, most);
    if (low != nullptr && size < low->get<double>()) {
      return Violate("has " + std::to_string(size) + " " + unit +
                     ", expected at least " + JsonText(*low));
    }
    if (high != nullptr && size > high->get<double>()) {
      return Violate("has " + std::to_string(size) + " " + unit +
                     ", expected at most " + JsonText(*high));
    }
    return true;
  }

  bool Matches(const std::string& pattern, const std::string& text) {
    // Long texts cost what they cost.
    steps_ += text.size() / 64;
    return RE2::PartialMatch(text, *set_.patterns.find(pattern)->second);
  }

  bool CheckString(const json& schema, const json& value) {
    const auto& text = value.get_ref<const std::string&>();
    bool valid = CheckSize(schema, "minLength", "maxLength", CodePoints(text),
                           "characters");
    const json* pattern = Keyword(schema, "pattern");
    if (pattern != nullptr &&
        !Matches(pattern->get_ref<const std::string&>(), text)) {
      valid = Violate("is " + JsonText(value, 80) + ", expected a match of " +
                      JsonText(*pattern));
    }
    return valid;
  }

  bool CheckArray(const json& schema, const json& value, int depth) {
    bool valid =
        CheckSize(schema, "minItems", "maxItems", value.size(), "items");
    const json* unique = Keyword(schema, "uniqueItems");
    if (unique != nullptr && unique->get<bool>()) {
      steps_ += value.size();
      if (HasRepetition(value)) valid = Violate("repeats an item");
    }
    valid &= CheckItems(schema, value, depth);
    const json* contains = Keyword(schema, "contains");
    if (contains != nullptr &&
        std::none_of(value.begin(), value.end(), [&](const json& item) {
          return Holds(*contains, item, depth + 1);
        })) {
      valid = Violate("has no item as described by \"contains\"");
    }
    return valid;
  }

  bool CheckItems(const json& schema, const json& value, int depth) {
    const json* items = Keyword(schema, "items");
    const json* additional = Keyword(schema, "additionalItems");
    if (items == nullptr) return true;
    bool valid = true;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const json* each = items;
      if (items->is_array()) {
        each = i < items->size() ? &(*items)[i] : additional;
      }
      if (each == nullptr) break;
      const At at(*this, std::to_string(i));
      valid &= Check(*each, value[i], depth + 1);
    }
    return valid;
  }

  bool CheckObject(const json& schema, const json& value, int depth) {
    bool valid = CheckSize(schema, "minProperties", "maxProperties",
                           value.size(), "properties");
    if (const json* required = Keyword(schema, "required")) {
      for (const json& name : *required) {
        if (name.is_string() &&
            !value.contains(name.get_ref<const std::string&>())) {
          valid = Violate("has no property " + JsonText(name));
        }
      }
    }
    const json* names = Keyword(schema, "propertyNames");
    for (const auto& [name, member] : value.items()) {
      if (names != nullptr && !Holds(*names, json(name), depth + 1)) {
        valid = Violate("has the property " + JsonText(json(name)) +
                        ", whose name is not allowed");
      }
      valid &= CheckMember(schema, name, member, depth);
    }
    return valid & CheckDependencies(schema, value, depth);
  }

  bool CheckMember(const json& schema, const std::string& name,
                   const json& member, int depth) {
    bool valid = true;
    bool known = false;
    const At at(*this, name);
    if (const json* properties = Keyword(schema, "properties")) {
      const auto it = properties->find(name);
      if (it != properties->end()) {
        known = true;
        valid &= Check(*it, member, depth + 1);
      }
    }
    if (const json* patterns = Keyword(schema, "patternProperties")) {
      for (const auto& [pattern, each] : patterns->items()) {
        if (!Matches(pattern, name)) continue;
        known = true;
        valid &= Check(each, member, depth + 1);
      }
    }
    const json* additional = Keyword(schema, "additionalProperties");
    if (known || additional == nullptr) return valid;
    if (additional->is_boolean() && !additional->get<bool>()) {
      return Violate("is a property that the schema does not know");
    }
    return valid & Check(*additional, member, depth + 1);
  }

  bool CheckDependencies(const json& schema, const json& value, int depth) {
    const json* dependencies = Keyword(schema, "dependencies");
    if (dependencies == nullptr) return true;
    bool valid = true;
    for (const auto& [name, needed] : dependencies->items()) {
      if (!value.contains(name)) continue;
      if (!needed.is_array()) {
        valid &= Check(needed, value, depth + 1);
        continue;
      }
      for (const json& other : needed) {
        if (other.is_string() &&
            !value.contains(other.get_ref<const std::string&>())) {
          valid = Violate("has the property " + JsonText(json(name)) +
                          " and lacks " + JsonText(other));
        }
      }
    }
    return valid;
  }

  bool CheckCombinations(const json& schema, const json& value, int depth) {
    bool valid = true;
    if (const json* all = Keyword(schema, "allOf")) {
      for (const json& each : *all) valid &= Check(each, value, depth + 1);
    }
    const auto count = [&](const json& schemas) {
      return std::count_if(
          schemas.begin(), schemas.end(),
          [&](const json& each) { return Holds(each, value, depth + 1); });
    };
    if (const json* any = Keyword(schema, "anyOf")) {
      if (count(*any) == 0) {
        valid = Violate("is " + JsonText(value, 60) +
                        ", which none of \"anyOf\" allows");
      }
    }
    if (const json* one = Keyword(schema, "oneOf")) {
      const auto matching = count(*one);
      if (matching != 1) {
        valid = Violate("is " + JsonText(value, 60) + ", which " +
                        std::to_string(matching) +
                        " of \"oneOf\" allow instead of one");
      }
    }
    if (const json* no = Keyword(schema, "not")) {
      if (Holds(*no, value, depth + 1)) {
        valid =
            Violate("is " + JsonText(value, 60) + ", which \"not\" forbids");
      }
    }
    return valid;
  }

  bool CheckCondition(const json& schema, const json& value, int depth) {
    const json* condition = Keyword(schema, "if");
    if (condition == nullptr) return true;
    const json* branch =
        Keyword(schema, Holds(*condition, value, depth + 1) ? "then" : "else");
    return branch == nullptr || Check(*branch, value, depth + 1);
  }

  const Set& set_;
  std::string pointer_;
  std::vector<SchemaViolation> violations_;
  int quiet_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace

std::vector<SchemaViolation> JsonSchema::Validate(const json& value) const {
  return Validation(*set_).Run(value);
}

}  // namespace assay::suite
