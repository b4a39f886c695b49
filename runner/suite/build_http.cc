#include <cctype>

#include "runner/suite/builder.h"
#include "runner/suite/jsonpath.h"
#include "runner/suite/nearest.h"

namespace assay::suite {
namespace {

using plan::v1::HttpStep;
using std::chrono::seconds;

std::string Lower(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string Upper(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

// RFC 9110's token.
bool IsToken(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (!letter &&
        std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

void Builder::Http(const Node& node, const Node::Entry& verb, HttpStep& out) {
  out.set_method(Upper(verb.key));
  if (const Node* method = Get(node, "method")) {
    if (verb.key != "request") {
      report_.Error(method->at, "method: only with the verb \"request\"");
    } else if (!IsToken(method->text)) {
      report_.Error(method->at,
                    "method: expected a method such as PROPFIND, "
                    "found " +
                        Describe(*method));
    }
    out.set_method(method->text);
  } else if (verb.key == "request") {
    out.set_method("GET");
  }
  out.set_path(Template(node, verb.key));
  HttpTarget(node, out);
  HeadersOf(node, "query", false, *out.mutable_query());
  HttpBody(node, out);
  out.set_redirects(static_cast<std::int32_t>(Integer(node, "redirects", 0)));
  out.set_cookies(Bool(node, "cookies", false));
  out.set_version(Text(node, "http") == "2" ? HttpStep::VERSION_2
                                            : HttpStep::VERSION_1_1);
}

void Builder::Graphql(const Node& node, HttpStep& out) {
  out.set_method("POST");
  out.set_path(Template(node, "path"));
  if (out.path().empty()) out.set_path("/graphql");
  HttpTarget(node, out);
  nlohmann::json body = {{"query", EscapeBraces(Text(node, "graphql"))}};
  if (const Node* variables = Get(node, "variables")) {
    NoteTemplates(*variables);
    body["variables"] = ToJson(*variables);
  }
  out.set_json(body.dump());
  out.set_version(HttpStep::VERSION_1_1);
}

void Builder::Target(const Node& node, std::string& name,
                     std::string& port_name) {
  if (const Node* service = Get(node, "service")) {
    name = service->text;
    if (!suite_names_.services.contains(service->text)) {
      report_.Error(
          service->at,
          "service: there is no process \"" + service->text + "\"" +
              DidYouMean(service->text, {suite_names_.services.begin(),
                                         suite_names_.services.end()}));
    }
  } else if (plan_.services_size() == 0) {
    report_.Error(node.at,
                  "the suite has no service that this step could talk to");
  }
  if (const Node* port = Get(node, "port")) {
    port_name = port->text;
    if (!suite_names_.ports.contains(port->text)) {
      report_.Error(port->at, "port: no port of a service has the name \"" +
                                  port->text + "\"");
    }
  }
}

void Builder::HttpTarget(const Node& node, HttpStep& out) {
  Target(node, *out.mutable_service(), *out.mutable_port());
  HeadersOf(node, "headers", true, *out.mutable_headers());
  HttpAuth(node, out);
  if (const Node* expect = Get(node, "expect")) {
    HttpExpect(*expect, *out.mutable_expect());
  }
  CapturesOf(node, true, *out.mutable_captures());
}

void Builder::HeadersOf(const Node& map, std::string_view key, bool lower,
                        Headers& out) {
  for (const Node::Entry* entry : Entries(map, key)) {
    if (lower && !IsToken(entry->key)) {
      report_.Error(entry->key_at,
                    "\"" + entry->key + "\" is no name of a header");
    }
    for (const Node* value : Several(*map.Get(key), entry->key)) {
      plan::v1::Header& header = *out.Add();
      header.set_name(lower ? Lower(entry->key) : entry->key);
      header.set_value(value->text);
      *header.mutable_position() = At(entry->key_at);
      NoteTemplates(value->text, value->at);
      if (lower && value->text.find_first_of("\r\n") != std::string::npos) {
        report_.Error(value->at, "a header's value is one line");
      }
    }
  }
}

void Builder::HttpBody(const Node& node, HttpStep& out) {
  if (const Node* json = Get(node, "json")) out.set_json(Json(*json));
  if (Get(node, "text") != nullptr) out.set_text(Template(node, "text"));
  if (const Node* file = Get(node, "file")) {
    out.set_file(file->text);
    AddFile(file->text);
  }
  if (Get(node, "form") != nullptr) {
    HeadersOf(node, "form", false, *out.mutable_form()->mutable_fields());
  }
  if (Get(node, "multipart") == nullptr) return;
  HeadersOf(node, "multipart", false,
            *out.mutable_multipart()->mutable_fields());
  for (const Node::Entry* entry : Entries(node, "multipart")) {
    if (!entry->value->text.starts_with("@")) continue;
    const std::string path = entry->value->text.substr(1);
    if (!files_.contains(path)) {
      report_.Error(entry->value->at,
                    "there is no file \"" + path + "\" in the suite's folder");
    }
    AddFile(path);
  }
}

void Builder::HttpAuth(const Node& node, HttpStep& out) {
  const Node* auth = Get(node, "auth");
  if (auth == nullptr) return;
  if (Get(*auth, "bearer") != nullptr) {
    out.set_bearer(Template(*auth, "bearer"));
  }
  if (const Node* basic = Get(*auth, "basic")) {
    out.mutable_basic()->set_user(Template(*basic, "user"));
    out.mutable_basic()->set_password(Template(*basic, "password"));
  }
  if (const Node* digest = Get(*auth, "digest")) {
    out.mutable_digest()->set_user(Template(*digest, "user"));
    out.mutable_digest()->set_password(Template(*digest, "password"));
  }
}

void Builder::HttpExpect(const Node& node, plan::v1::HttpExpect& out) {
  if (const Node* status = Get(node, "status")) {
    *out.mutable_status() = Expect(*status, Subject::kStatus);
  }
  const auto named = [&](std::string_view key, bool lower, auto add) {
    for (const Node::Entry* entry : Entries(node, key)) {
      add(lower ? Lower(entry->key) : entry->key, *entry);
    }
  };
  named("headers", true, [&](std::string name, const Node::Entry& entry) {
    plan::v1::Named& header = *out.add_headers();
    header.set_name(std::move(name));
    *header.mutable_expectation() = Expect(*entry.value, Subject::kText);
    *header.mutable_position() = At(entry.key_at);
  });
  named("xml", false, [&](std::string path, const Node::Entry& entry) {
    plan::v1::Query& query = *out.add_xml();
    query.set_path(std::move(path));
    *query.mutable_expectation() = Expect(*entry.value, Subject::kText);
    *query.mutable_position() = At(entry.key_at);
  });
  QueriesOf(node, "json", *out.mutable_json());
  if (const Node* schema = Get(node, "schema")) {
    out.set_schema(schema->text);
    *out.mutable_schema_position() = At(schema->at);
    AddSchema(schema->text, schema->at);
  }
  if (const Node* body = Get(node, "body")) {
    *out.mutable_body() = Expect(*body, Subject::kText);
  }
  if (const Node* within = Get(node, "within")) {
    *out.mutable_within() = ToProto(Time(node, "within", seconds(0)));
    *out.mutable_within_position() = At(within->at);
  }
}

void Builder::CapturesOf(const Node& step, bool http, Captures& out) {
  for (const Node::Entry* entry : Refused(step, "capture")) {
    if (names_ != nullptr) names_->defines.push_back({entry->key, {}});
  }
  for (const Node::Entry* entry : Entries(step, "capture")) {
    const Node& node = *entry->value;
    plan::v1::Capture& capture = *out.Add();
    capture.set_name(entry->key);
    *capture.mutable_position() = At(entry->key_at);
    for (const Builtin& builtin : Builtins()) {
      if (builtin.name == entry->key) {
        report_.Error(entry->key_at, "{{" + entry->key +
                                         "}} is built in; choose another name");
      }
    }
    if (names_ != nullptr) {
      names_->defines.push_back({entry->key, entry->key_at});
    }
    const Node* path =
        node.kind == Node::Kind::kMap ? Get(node, "jsonpath") : &node;
    if (path != nullptr) {
      capture.set_jsonpath(path->text);
      const auto parsed = JsonPath::Parse(path->text);
      if (parsed && !parsed->singular()) {
        report_.Error(path->at, "a capture takes one value, and " + path->text +
                                    " can yield several");
      }
    }
    if (node.kind != Node::Kind::kMap) continue;
    if (Get(node, "header") != nullptr) {
      capture.set_header(Lower(Text(node, "header")));
    }
    if (Get(node, "cookie") != nullptr) {
      capture.set_cookie(Text(node, "cookie"));
    }
    if (Get(node, "regex") != nullptr) capture.set_regex(Text(node, "regex"));
    if (Get(node, "status") != nullptr) {
      capture.set_status(Bool(node, "status", true));
    }
    if (Get(node, "body") != nullptr) {
      capture.set_body(Bool(node, "body", true));
    }
    capture.set_secret(Bool(node, "secret", false));
    if (!http && capture.source_case() != plan::v1::Capture::kJsonpath &&
        capture.source_case() != plan::v1::Capture::SOURCE_NOT_SET) {
      report_.Error(node.at,
                    "only a JSONPath can be captured here: the answer "
                    "has no headers and no body");
    }
  }
}

}  // namespace assay::suite
