#include "runner/suite/skeleton.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "runner/suite/json_schema.h"
#include "runner/suite/nearest.h"
#include "runner/suite/openapi_request.h"
#include "runner/suite/openapi_schema.h"
#include "runner/suite/yaml_text.h"
#include "runner/suite/yaml_tree.h"

namespace assay::suite {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDocument = 8 << 20;
constexpr const char* kMethods[] = {"get",    "post", "put",    "patch",
                                    "delete", "head", "options"};

std::string Top(std::string_view name, const std::string& ready) {
  return "# yaml-language-server: $schema=./assay.schema.json\n"
         "version: 1\n"
         "name: " +
         YamlScalar(name) +
         "\n\n"
         "service:\n"
         "  build: { run: make build }\n"
         "  start: { run: ./run.sh, env: { PORT: \"{{port}}\" } }\n"
         "  ready: { get: " +
         YamlScalar(ready) + ", within: 30s }\n\n";
}

std::string IdOf(const std::string& text, std::set<std::string>& taken) {
  std::string id;
  bool lower = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      // createOrder becomes create-order.
      if (std::isupper(byte) != 0 && lower) id += '-';
      lower = std::islower(byte) != 0;
      id += static_cast<char>(std::tolower(byte));
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
      lower = false;
    }
  }
  id = id.substr(0, 50);
  while (id.ends_with('-')) id.pop_back();
  if (id.empty()) id = "check";
  std::string unique = id;
  for (int i = 2; !taken.insert(unique).second; ++i) {
    unique = id + "-" + std::to_string(i);
  }
  return unique;
}

// The schema of a body or an answer, where it is JSON.
const json* JsonSchemaOf(const json& holder) {
  const json& content = Member(holder, "content");
  if (!content.is_object()) return nullptr;
  for (const auto& [type, media] : content.items()) {
    if (type.find("json") == std::string::npos) continue;
    const json& schema = Member(media, "schema");
    if (!schema.is_null()) return &schema;
  }
  return nullptr;
}

class OpenApi {
 public:
  explicit OpenApi(const json& document) : document_(document) {}

  Skeleton Write() {
    WriteComponents();
    std::string title = TextOf(Member(document_, "info"), "title");
    if (title.empty()) title = "API";
    std::string checks;
    for (const auto& [path, item] : Member(document_, "paths").items()) {
      if (!item.is_object()) continue;
      for (const char* method : kMethods) {
        const json& operation = Member(item, method);
        if (operation.is_object())
          checks += Check(path, method, item, operation);
      }
    }
    std::string suite = Top(title, Readiness());
    if (!variables_.empty()) suite += Variables();
    suite += "checks:\n" + checks;
    skeleton_.files[std::string(kSuiteFile)] = suite;
    skeleton_.notes.push_back(
        "Each operation has one check of its shape, worth 1 point and public. "
        "Say what the service has to do: points, visibility, values, and what "
        "has to be refused.");
    return std::move(skeleton_);
  }

 private:
  // Where credentials come from is nothing that a document says.
  std::string Variables() {
    std::string values;
    std::vector<std::string> names;
    for (const std::string& name : variables_) {
      values += (values.empty() ? " " : ", ") + name + ": CHANGE-ME";
      names.push_back("\"" + name + "\"");
    }
    skeleton_.notes.push_back(
        "Some operations need authentication: give " + JoinNames(names) +
        " a value, or replace it by a flow that logs in and captures one.");
    return "vars: {" + values + " }\n\n";
  }

  // A path that answers without anything.
  std::string Readiness() const {
    for (const auto& [path, item] : Member(document_, "paths").items()) {
      if (path.find('{') == std::string::npos && path.starts_with("/") &&
          Member(item, "get").is_object() &&
          !NeedsCredentials(item["get"], document_)) {
        return BasePathOf(document_) + path;
      }
    }
    return "/";
  }

  std::string Check(const std::string& path, const std::string& method,
                    const json& item, const json& operation) {
    std::string name = TextOf(operation, "operationId");
    if (name.empty()) name = method + " " + path;
    const std::string id = IdOf(name, ids_);
    std::string title = TextOf(operation, "summary");
    if (title.empty()) title = method + " " + path + " answers as described";
    ++skeleton_.checks;
    std::string text = "  - id: " + YamlScalar(id) +
                       "\n    title: " + YamlScalar(title) +
                       "\n    points: 1\n    visibility: public\n    steps:\n";
    OpenApiCall call = CallOf(path, method, item, operation, document_);
    variables_.merge(call.variables);
    text += call.text + Expectation(id, operation);
    return text + "\n";
  }

  std::string Expectation(const std::string& id, const json& operation) {
    std::string status = "2xx";
    const json* answer = nullptr;
    const json& responses = Member(operation, "responses");
    if (responses.is_object()) {
      for (const auto& [code, response] : responses.items()) {
        if (code.size() != 3 || code[0] != '2') continue;
        const bool exact =
            code.find_first_not_of("0123456789") == std::string::npos;
        status = exact ? code : "2xx";
        answer = Dereference(response, document_);
        break;
      }
    }
    std::string text = "        expect:\n          status: " + status + "\n";
    const json* schema = answer == nullptr ? nullptr : JsonSchemaOf(*answer);
    if (schema == nullptr) return text;
    const std::string file = "schemas/" + id + ".json";
    json draft7 = ToDraft7(*schema);
    json whole = {{"$schema", "http://json-schema.org/draft-07/schema#"}};
    // Beside a $ref, draft 7 would ignore everything.
    if (draft7.is_object() && !draft7.contains("$ref")) {
      whole.update(draft7);
    } else {
      whole["allOf"] = json::array({draft7});
    }
    skeleton_.files[file] = Text(whole);
    if (const auto loaded = JsonSchema::Load(skeleton_.files, file); !loaded) {
      skeleton_.files.erase(file);
      skeleton_.notes.push_back(
          "The answer of \"" + id +
          "\" is not checked against its schema: " + loaded.error().message);
      return text;
    }
    return text + "          schema: " + file + "\n";
  }

  static std::string Text(const json& schema) {
    return schema.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  }

  void WriteComponents() {
    const json& schemas = Member(Member(document_, "components"), "schemas");
    if (!schemas.is_object() || schemas.empty()) return;
    json definitions = json::object();
    for (const auto& [name, schema] : schemas.items()) {
      json draft7 = ToDraft7(schema);
      definitions[name] = std::move(draft7);
    }
    // Inside of the file, references stay inside.
    json components = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                       {"definitions", std::move(definitions)}};
    skeleton_.files["schemas/components.json"] = Text(components);
  }

  const json& document_;
  Skeleton skeleton_;
  std::set<std::string> ids_;
  // That stand for credentials.
  std::set<std::string> variables_;
};

}  // namespace

Skeleton NewSuite(std::string_view name) {
  Skeleton skeleton;
  skeleton.files[std::string(kSuiteFile)] =
      Top(name, "/healthz") +
      "# sidecars:\n"
      "#   db: { kind: postgres, seed: [sql/schema.sql], reset: per-check }\n"
      "\n"
      "checks:\n"
      "  - id: answers\n"
      "    title: The service answers\n"
      "    points: 1\n"
      "    visibility: public\n"
      "    steps:\n"
      "      - get: /healthz\n"
      "        expect: { status: 200 }\n";
  skeleton.notes.push_back(
      "Next: \"assay suite lint\", then \"assay suite run --against "
      "./solution\".");
  return skeleton;
}

Expected<Skeleton> SuiteFromOpenApi(std::string_view text) {
  Diagnostics diagnostics;
  const auto tree = ParseYaml("openapi.yaml", text, diagnostics,
                              {.max_bytes = kMaxDocument, .any_key = true});
  if (tree == nullptr || !diagnostics.empty()) {
    return InvalidArgument(ToText(diagnostics));
  }
  const json document = ToJson(*tree);
  const std::string version = TextOf(document, "openapi");
  if (!version.starts_with("3.")) {
    return InvalidArgument(
        "not an OpenAPI 3 document: expected the key \"openapi\" with 3.x, "
        "found ",
        version.empty() ? "none" : "\"" + version + "\"");
  }
  if (!Member(document, "paths").is_object() ||
      Member(document, "paths").empty()) {
    return InvalidArgument("the document has no \"paths\"");
  }
  Skeleton skeleton = OpenApi(document).Write();
  if (skeleton.checks == 0) {
    return InvalidArgument(
        "the document's paths have no operations: expected get, post, put, "
        "patch, delete, head or options in one of them");
  }
  return skeleton;
}

}  // namespace assay::suite
