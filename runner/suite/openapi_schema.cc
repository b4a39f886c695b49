#include "runner/suite/openapi_schema.h"

#include <set>

namespace assay::suite {
namespace {

using nlohmann::json;

constexpr std::string_view kComponents = "#/components/schemas/";
constexpr int kMaxDepth = 12;

// Keywords of OpenAPI that say nothing about a value.
const std::set<std::string> kAnnotations = {
    "discriminator", "xml",      "externalDocs", "example", "deprecated",
    "examples",      "readOnly", "writeOnly",    "nullable"};

// In 3.0 `exclusiveMinimum: true` makes `minimum` exclusive.
void TranslateBound(const json& schema, const char* bound,
                    const char* exclusive, json& out) {
  const auto flag = schema.find(exclusive);
  if (flag == schema.end() || !flag->is_boolean()) return;
  out.erase(exclusive);
  if (flag->get<bool>() && schema.contains(bound)) {
    out[exclusive] = schema[bound];
    out.erase(bound);
  }
}

std::string TypeOf(const json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) {
    return schema.contains("properties") ? "object" : "";
  }
  if (type->is_string()) return type->get<std::string>();
  // 3.1 writes nullable types as lists.
  for (const json& one : *type) {
    if (one.is_string() && one != "null") return one.get<std::string>();
  }
  return "null";
}

bool Flag(const json& schema, const char* name) {
  const auto it = schema.find(name);
  return it != schema.end() && it->is_boolean() && it->get<bool>();
}

std::string SampleText(const json& schema) {
  const auto given = schema.find("format");
  const std::string format = given != schema.end() && given->is_string()
                                 ? given->get<std::string>()
                                 : "";
  if (format == "uuid") return "00000000-0000-4000-8000-000000000001";
  if (format == "date-time") return "2030-01-01T00:00:00Z";
  if (format == "date") return "2030-01-01";
  if (format == "email") return "someone@example.test";
  if (format == "uri") return "https://example.test/";
  const auto least = schema.find("minLength");
  const std::size_t size =
      least != schema.end() && least->is_number_unsigned()
          ? std::min<std::size_t>(least->get<std::size_t>(), 1000)
          : 0;
  std::string text = "text";
  if (text.size() < size) text.resize(size, 'x');
  return text;
}

json SampleObject(const json& schema, const json& document, int depth) {
  json object = json::object();
  const auto properties = schema.find("properties");
  if (properties == schema.end() || !properties->is_object()) return object;
  const auto required = schema.find("required");
  for (const auto& [name, property] : properties->items()) {
    const bool needed =
        required == schema.end() || !required->is_array() ||
        std::find(required->begin(), required->end(), name) != required->end();
    const json* target = Dereference(property, document);
    if (!needed || target == nullptr || Flag(*target, "readOnly")) {
      continue;
    }
    object[name] = SampleOf(*target, document, depth + 1);
  }
  return object;
}

}  // namespace

const json* Dereference(const json& node, const json& document) {
  const json* at = &node;
  for (int hops = 0; hops < kMaxDepth; ++hops) {
    if (!at->is_object()) return at->is_boolean() ? at : nullptr;
    const auto reference = at->find("$ref");
    if (reference == at->end()) return at;
    if (!reference->is_string()) return nullptr;
    const auto& text = reference->get_ref<const std::string&>();
    if (!text.starts_with("#/")) return nullptr;
    try {
      const json::json_pointer pointer(text.substr(1));
      if (!document.contains(pointer)) return nullptr;
      at = &document.at(pointer);
    } catch (const json::exception&) {
      return nullptr;
    }
  }
  return nullptr;
}

json ToDraft7(const json& schema) {
  if (schema.is_array()) {
    json list = json::array();
    for (const json& item : schema) list.push_back(ToDraft7(item));
    return list;
  }
  if (!schema.is_object()) return schema;
  const auto reference = schema.find("$ref");
  if (reference != schema.end() && reference->is_string()) {
    const auto& text = reference->get_ref<const std::string&>();
    if (text.starts_with(kComponents)) {
      return {{"$ref", "components.json#/definitions/" +
                           text.substr(kComponents.size())}};
    }
    // Others are not taken along: anything is allowed there.
    return json::object();
  }
  json out = json::object();
  for (const auto& [name, value] : schema.items()) {
    if (kAnnotations.contains(name) || name.starts_with("x-")) continue;
    if (name == "properties" && value.is_object()) {
      // Names of properties are no keywords.
      out[name] = json::object();
      for (const auto& [property, inner] : value.items()) {
        out[name][property] = ToDraft7(inner);
      }
    } else if (name == "enum" || name == "const" || name == "default") {
      out[name] = value;
    } else {
      out[name] = ToDraft7(value);
    }
  }
  TranslateBound(schema, "minimum", "exclusiveMinimum", out);
  TranslateBound(schema, "maximum", "exclusiveMaximum", out);
  if (Flag(schema, "nullable")) {
    if (out.contains("type") && out["type"].is_string()) {
      out["type"] = {out["type"], "null"};
    }
    if (out.contains("enum")) out["enum"].push_back(nullptr);
  }
  return out;
}

json SampleOf(const json& schema, const json& document, int depth) {
  const json* target = Dereference(schema, document);
  if (target == nullptr || !target->is_object() || depth > kMaxDepth) {
    return nullptr;
  }
  for (const char* given : {"example", "default", "const"}) {
    if (target->contains(given)) return (*target)[given];
  }
  for (const char* list : {"examples", "enum"}) {
    if (target->contains(list) && (*target)[list].is_array() &&
        !(*target)[list].empty()) {
      return (*target)[list][0];
    }
  }
  if (target->contains("allOf") && (*target)["allOf"].is_array()) {
    json merged = json::object();
    for (const json& part : (*target)["allOf"]) {
      const json sample = SampleOf(part, document, depth + 1);
      if (sample.is_object()) merged.update(sample);
    }
    return merged;
  }
  for (const char* choice : {"oneOf", "anyOf"}) {
    if (target->contains(choice) && (*target)[choice].is_array() &&
        !(*target)[choice].empty()) {
      return SampleOf((*target)[choice][0], document, depth + 1);
    }
  }
  const std::string type = TypeOf(*target);
  if (type == "object") return SampleObject(*target, document, depth);
  if (type == "array") {
    return json::array({SampleOf(target->value("items", json::object()),
                                 document, depth + 1)});
  }
  if (type == "string") return SampleText(*target);
  if (type == "boolean") return true;
  if (type == "integer" || type == "number") {
    const auto least = target->find("minimum");
    return least != target->end() && least->is_number() ? *least : json(1);
  }
  return nullptr;
}

}  // namespace assay::suite
