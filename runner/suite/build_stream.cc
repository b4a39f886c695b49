// Steps on connections that last, and gRPC.

#include <algorithm>

#include "runner/suite/builder.h"
#include "runner/suite/proto_files.h"

namespace assay::suite {
namespace {

// "package.Service/Method": identifiers with dots, a slash, an identifier.
bool IsMethod(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == text.size()) {
    return false;
  }
  return std::ranges::all_of(text, [&](const char& c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
           (c == '.' && &c < &text[slash]) || &c == &text[slash];
  });
}

}  // namespace

void Builder::Stream(const Node& node, const Node::Entry& verb,
                     plan::v1::StreamStep& out) {
  plan::v1::HttpStep& open = *out.mutable_open();
  open.set_method("GET");
  open.set_path(Template(node, verb.key));
  open.set_version(plan::v1::HttpStep::VERSION_1_1);
  HttpTarget(node, open);
  out.set_events(verb.key == "events");
  if (open.has_digest()) {
    report_.Error(Get(node, "auth")->at,
                  "auth: a connection is opened with bearer or basic");
  }
  const Node* exchange = Get(node, "exchange");
  if (exchange == nullptr) return;
  for (const auto& item : exchange->items) {
    if (!validator_.Good(*item) || item->kind != Node::Kind::kMap) continue;
    std::set<std::string> known;
    for (const NameUse& define : names_->defines) known.insert(define.name);
    const auto before = static_cast<std::ptrdiff_t>(names_->uses.size());
    Exchange(*item, out);
    // What an exchange captures is there for those after it.
    std::vector<NameUse>& uses = names_->uses;
    uses.erase(std::remove_if(uses.begin() + before, uses.end(),
                              [&](const NameUse& use) {
                                return known.contains(
                                    use.name.substr(0, use.name.find('.')));
                              }),
               uses.end());
  }
}

void Builder::Exchange(const Node& node, plan::v1::StreamStep& step) {
  plan::v1::StreamStep::Exchange& out = *step.add_exchanges();
  *out.mutable_position() = At(node.at);
  for (const char* key : {"send", "json", "close"}) {
    if (step.events() && Get(node, key) != nullptr) {
      report_.Error(Get(node, key)->at,
                    std::string(key) + ": only a WebSocket can do that");
    }
  }
  if (Get(node, "send") != nullptr) out.set_text(Template(node, "send"));
  if (const Node* json = Get(node, "json")) out.set_json(Json(*json));
  if (Get(node, "close") != nullptr) {
    out.set_close(static_cast<std::int32_t>(Integer(node, "close", 1000)));
  }
  if (const Node* request = Get(node, "request")) {
    StepNames names = StepOf(*request, *out.mutable_request());
    names_->uses.insert(names_->uses.end(), names.uses.begin(),
                        names.uses.end());
    names_->defines.insert(names_->defines.end(), names.defines.begin(),
                           names.defines.end());
  }
  if (const Node* expect = Get(node, "expect")) {
    HttpExpect(*expect, *out.mutable_expect());
    for (const char* key : {"status", "headers"}) {
      if (Get(*expect, key) == nullptr) continue;
      report_.Error(Get(*expect, key)->at,
                    std::string(key) + ": a message has none");
    }
  }
  out.set_event(Text(node, "event"));
  if (!out.event().empty() && (!step.events() || !out.has_expect())) {
    report_.Error(node.Get("event")->at,
                  "event: only with \"expect\", in an \"events\" step");
  }
  CapturesOf(node, false, *out.mutable_captures());
  if (out.captures_size() > 0 && !out.has_expect()) {
    report_.Error(node.Get("capture")->at,
                  "capture: only from a message that is waited for");
  }
}

void Builder::Grpc(const Node& node, plan::v1::GrpcStep& out) {
  out.set_method(Text(node, "grpc"));
  if (const Node* method = Get(node, "grpc");
      method != nullptr && !IsMethod(out.method())) {
    report_.Error(method->at,
                  "grpc: expected package.Service/Method, found \"" +
                      out.method() + "\"");
  }
  Target(node, *out.mutable_service(), *out.mutable_port());
  CapturesOf(node, false, *out.mutable_captures());
  if (const Node* proto = Get(node, "proto")) {
    out.set_proto(proto->text);
    // What it imports stands below the suite's folder.
    for (const auto& [path, unused] : files_) {
      if (path.ends_with(".proto")) AddFile(path);
    }
  }
  for (const Node::Entry* entry : Entries(node, "metadata")) {
    plan::v1::Header& header = *out.add_metadata();
    header.set_name(entry->key);
    header.set_value(entry->value->text);
    *header.mutable_position() = At(entry->key_at);
    NoteTemplates(entry->value->text, entry->value->at);
  }
  const Node* json = Get(node, "json");
  if (json != nullptr) out.set_json(Json(*json));
  if (!out.proto().empty() && IsMethod(out.method())) {
    CheckProto(files_,
               {.path = out.proto(),
                .method = out.method(),
                .method_at = Get(node, "grpc")->at,
                .json = out.json(),
                .json_at = json == nullptr ? node.at : json->at},
               report_);
  }
  const Node* expect = Get(node, "expect");
  if (expect == nullptr || expect->kind != Node::Kind::kMap) return;
  out.set_status(Text(*expect, "status"));
  if (const Node* status = Get(*expect, "status")) {
    *out.mutable_status_position() = At(status->at);
  }
  QueriesOf(*expect, "json", *out.mutable_expect_json());
  if (const Node* within = Get(*expect, "within")) {
    *out.mutable_within() =
        ToProto(Time(*expect, "within", std::chrono::seconds(0)));
    *out.mutable_within_position() = At(within->at);
  }
}

}  // namespace assay::suite
