#include "runner/suite/openapi_request.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include "runner/suite/openapi_schema.h"
#include "runner/suite/yaml_text.h"

namespace assay::suite {
namespace {

using nlohmann::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

void Replace(std::string& text, const std::string& what,
             const std::string& with) {
  const std::size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), with);
}

// Braces of a sample are no templates.
std::string Escaped(std::string text) {
  for (std::size_t at = text.find("{{"); at != std::string::npos;
       at = text.find("{{", at + 3)) {
    text.insert(at + 1, " ");
  }
  return text;
}

std::string Plain(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() || value.is_structured() ? "1" : value.dump();
}

// In a path or a query; templates of ours are not among these.
std::string PercentEncoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~:,").contains(c)) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

// A body's media type that has this in its name, or null.
const json* MediaOf(const json& body, std::string_view part) {
  const json& content = Member(body, "content");
  if (!content.is_object()) return nullptr;
  for (const auto& [type, media] : content.items()) {
    if (media.is_object() && type.find(part) != std::string::npos) {
      return &media;
    }
  }
  return nullptr;
}

class Call {
 public:
  Call(const json& operation, const json& document)
      : operation_(operation), document_(document) {}

  OpenApiCall Write(const std::string& path, const std::string& method,
                    const json& item) {
    const std::string target = PathOf(path, item);
    Credentials();
    call_.text = "      - " + method + ": " + YamlScalar(target) + "\n";
    if (!auth_.empty()) call_.text += "        auth: " + auth_ + "\n";
    Mapping("query", query_);
    Mapping("headers", headers_);
    Body();
    return std::move(call_);
  }

 private:
  // A name once: the first that says it counts.
  void Mapping(const char* key, const Pairs& pairs) {
    if (pairs.empty()) return;
    std::string text;
    for (const auto& [name, value] : pairs) {
      text += (text.empty() ? " " : ", ") + YamlScalar(name) + ": " +
              YamlScalar(value);
    }
    call_.text += std::string("        ") + key + ": {" + text + " }\n";
  }

  static void Put(Pairs& pairs, const std::string& name, std::string value) {
    const bool taken = std::ranges::any_of(
        pairs, [&](const auto& pair) { return pair.first == name; });
    if (!name.empty() && !taken) pairs.emplace_back(name, std::move(value));
  }

  // The path with a value for each parameter, required query parameters
  // behind it.
  std::string PathOf(const std::string& template_path, const json& item) {
    std::string path = template_path;
    std::string query;
    // An operation's parameters come before its path's.
    std::set<std::pair<std::string, std::string>> seen;
    for (const json* list :
         {&Member(operation_, "parameters"), &Member(item, "parameters")}) {
      if (!list->is_array()) continue;
      for (const json& given : *list) {
        const json* parameter = Dereference(given, document_);
        if (parameter == nullptr) continue;
        const std::string name = TextOf(*parameter, "name");
        const std::string in = TextOf(*parameter, "in");
        if (name.empty() || !seen.emplace(in, name).second) continue;
        const std::string value = ValueOf(*parameter);
        const bool required = Member(*parameter, "required") == true;
        if (in == "path") {
          Replace(path, "{" + name + "}", PercentEncoded(value));
        } else if (in == "query" && required) {
          query.append(query.empty() ? "?" : "&")
              .append(PercentEncoded(name))
              .append("=")
              .append(PercentEncoded(value));
        } else if (in == "header" && required) {
          Header(name, value);
        }
      }
    }
    if (!path.starts_with("/")) path.insert(0, "/");
    // Parameters that nobody described.
    for (std::size_t open = path.find('{'); open != std::string::npos;
         open = path.find('{')) {
      const std::size_t close = path.find('}', open);
      if (close == std::string::npos) break;
      path.replace(open, close - open + 1, "1");
    }
    std::erase(path, '{');
    return BasePathOf(document_) + path + query;
  }

  // OpenAPI says that these three parameters are ignored.
  void Header(const std::string& name, const std::string& value) {
    const std::string lower = Lower(name);
    if (lower == "accept" || lower == "content-type" ||
        lower == "authorization") {
      return;
    }
    const bool sendable = std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    const bool one_line = std::ranges::none_of(
        value, [](unsigned char c) { return c < ' ' || c == 127; });
    if (sendable && one_line) Put(headers_, lower, Escaped(value));
  }

  std::string ValueOf(const json& parameter) const {
    const json& example = Member(parameter, "example");
    return Plain(example.is_null()
                     ? SampleOf(Member(parameter, "schema"), document_)
                     : example);
  }

  // By the first of the alternatives that the operation offers.
  void Credentials() {
    if (!NeedsCredentials(operation_, document_)) return;
    const json& own = Member(operation_, "security");
    const json& first =
        (own.is_array() ? own : Member(document_, "security"))[0];
    if (!first.is_object()) return Bearer();
    for (const auto& [name, unused] : first.items()) {
      const json* scheme = Dereference(
          Member(Member(Member(document_, "components"), "securitySchemes"),
                 name.c_str()),
          document_);
      if (scheme == nullptr) {
        Bearer();
      } else if (TextOf(*scheme, "type") == "apiKey") {
        ApiKey(TextOf(*scheme, "name"), TextOf(*scheme, "in"));
      } else if (const std::string kind = Lower(TextOf(*scheme, "scheme"));
                 kind == "basic" || kind == "digest") {
        auth_ = "{ " + kind +
                ": { user: \"{{user}}\", password: \"{{password}}\" } }";
        call_.variables.insert({"user", "password"});
      } else {
        Bearer();
      }
    }
  }
  void Bearer() {
    auth_ = "{ bearer: \"{{token}}\" }";
    call_.variables.insert("token");
  }
  void ApiKey(const std::string& name, const std::string& in) {
    if (in == "query") {
      Put(query_, name, "{{token}}");
    } else if (in == "cookie") {
      Put(headers_, "cookie", name + "={{token}}");
    } else {
      Put(headers_, Lower(name), "{{token}}");
    }
    call_.variables.insert("token");
  }

  void Body() {
    const json* body =
        Dereference(Member(operation_, "requestBody"), document_);
    if (body == nullptr) return;
    if (const json* media = MediaOf(*body, "json")) {
      if (media->contains("schema") || media->contains("example")) {
        call_.text +=
            "        json: " + Escaped(YamlFlow(Sample(*media))) + "\n";
      }
    } else if (const json* form = MediaOf(*body, "x-www-form-urlencoded")) {
      Fields("form", Sample(*form));
    } else if (const json* parts = MediaOf(*body, "multipart/form-data")) {
      Fields("multipart", Sample(*parts));
    }
  }

  json Sample(const json& media) const {
    const json& example = Member(media, "example");
    return example.is_null() ? SampleOf(Member(media, "schema"), document_)
                             : example;
  }

  void Fields(const char* key, const json& sample) {
    if (!sample.is_object()) return;
    Pairs pairs;
    for (const auto& [name, value] : sample.items()) {
      std::string text = Escaped(Plain(value));
      // "@" would name a file of the suite.
      if (text.starts_with("@")) text.insert(0, " ");
      Put(pairs, name, std::move(text));
    }
    Mapping(key, pairs);
  }

  const json& operation_;
  const json& document_;
  OpenApiCall call_;
  std::string auth_;
  Pairs query_;
  Pairs headers_;
};

}  // namespace

const json& Member(const json& object, const char* name) {
  static const json kNone;
  if (!object.is_object()) return kNone;
  const auto it = object.find(name);
  return it == object.end() ? kNone : *it;
}

std::string TextOf(const json& object, const char* name) {
  const json& value = Member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

std::string BasePathOf(const json& document) {
  const json& servers = Member(document, "servers");
  if (!servers.is_array() || servers.empty()) return "";
  std::string url = TextOf(servers[0], "url");
  const json& variables = Member(servers[0], "variables");
  if (variables.is_object()) {
    for (const auto& [name, variable] : variables.items()) {
      Replace(url, "{" + name + "}", TextOf(variable, "default"));
    }
  }
  if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
    const std::size_t slash = url.find('/', scheme + 3);
    url = slash == std::string::npos ? "" : url.substr(slash);
  }
  url = url.substr(0, url.find_first_of("?#"));
  while (url.ends_with('/')) url.pop_back();
  // What is left of a template, or no path at all.
  const bool path =
      url.starts_with("/") && url.find_first_of("{} ") == std::string::npos;
  return path ? url : "";
}

bool NeedsCredentials(const json& operation, const json& document) {
  const json& own = Member(operation, "security");
  const json& security = own.is_array() ? own : Member(document, "security");
  if (!security.is_array() || security.empty()) return false;
  // An empty entry makes authentication optional.
  return std::none_of(security.begin(), security.end(),
                      [](const json& one) { return one.empty(); });
}

OpenApiCall CallOf(const std::string& path, const std::string& method,
                   const json& item, const json& operation,
                   const json& document) {
  return Call(operation, document).Write(path, method, item);
}

}  // namespace assay::suite
