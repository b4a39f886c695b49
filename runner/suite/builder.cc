// Reading values off the tree.

#include "runner/suite/builder.h"

#include <cmath>
#include <cstdlib>

#include "runner/suite/template.h"
#include "runner/suite/units.h"

namespace assay::suite {

using std::chrono::microseconds;

Builder::Builder(const Files& files, const Validator& validator, Report& report,
                 plan::v1::Plan& plan)
    : files_(files), validator_(validator), report_(report), plan_(plan) {}

const Node* Builder::Get(const Node& map, std::string_view key) const {
  const Node* value = map.Get(key);
  return value != nullptr && validator_.Good(*value) ? value : nullptr;
}

std::string Builder::Text(const Node& map, std::string_view key) const {
  const Node* value = Get(map, key);
  return value == nullptr ? "" : value->text;
}

std::string Builder::Template(const Node& map, std::string_view key) {
  const Node* value = Get(map, key);
  if (value == nullptr) return "";
  NoteTemplates(value->text, value->at);
  return value->text;
}

bool Builder::Bool(const Node& map, std::string_view key, bool fallback) const {
  const Node* value = Get(map, key);
  return value == nullptr ? fallback : ToJson(*value).get<bool>();
}

std::int64_t Builder::Integer(const Node& map, std::string_view key,
                              std::int64_t fallback) const {
  const Node* value = Get(map, key);
  return value == nullptr ? fallback : ToJson(*value).get<std::int64_t>();
}

double Builder::Number(const Node& map, std::string_view key,
                       double fallback) const {
  const Node* value = Get(map, key);
  return value == nullptr ? fallback : ToJson(*value).get<double>();
}

std::int64_t Builder::Size(const Node& map, std::string_view key,
                           std::int64_t fallback) const {
  const Node* value = Get(map, key);
  return value == nullptr ? fallback
                          : ParseSize(value->text).value_or(fallback);
}

microseconds Builder::Time(const Node& map, std::string_view key,
                           microseconds fallback) const {
  const Node* value = Get(map, key);
  return value == nullptr ? fallback
                          : ParseDuration(value->text).value_or(fallback);
}

std::vector<const Node*> Builder::Several(const Node& map,
                                          std::string_view key) const {
  std::vector<const Node*> several;
  const Node* value = Get(map, key);
  if (value == nullptr) return several;
  if (value->kind == Node::Kind::kScalar) return {value};
  for (const auto& item : value->items) {
    if (validator_.Good(*item)) several.push_back(item.get());
  }
  return several;
}

std::vector<const Node::Entry*> Builder::Entries(const Node& map,
                                                 std::string_view key) const {
  std::vector<const Node::Entry*> entries;
  const Node* value = Get(map, key);
  if (value == nullptr) return entries;
  for (const Node::Entry& entry : value->entries) {
    if (validator_.Good(*entry.value)) entries.push_back(&entry);
  }
  return entries;
}

std::vector<const Node::Entry*> Builder::Refused(const Node& map,
                                                 std::string_view key) const {
  std::vector<const Node::Entry*> entries;
  const Node* value = Get(map, key);
  if (value == nullptr) return entries;
  for (const Node::Entry& entry : value->entries) {
    if (!validator_.Good(*entry.value)) entries.push_back(&entry);
  }
  return entries;
}

plan::v1::Position Builder::At(const Place& place) const {
  plan::v1::Position position;
  position.set_line(place.line);
  position.set_column(place.column);
  if (place.file != plan_.source_name()) position.set_file(place.file);
  return position;
}

void Builder::NoteTemplates(std::string_view text, const Place& at) {
  const auto references = TemplateReferences(text);
  // The validator has reported those that are malformed.
  if (!references) return;
  for (const std::string& name : *references) {
    (names_ != nullptr ? names_->uses : suite_names_.early)
        .push_back({name, at});
  }
}

void Builder::NoteTemplates(const Node& node) {
  if (node.kind == Node::Kind::kScalar) NoteTemplates(node.text, node.at);
  for (const auto& item : node.items) NoteTemplates(*item);
  for (const Node::Entry& entry : node.entries) {
    NoteTemplates(entry.key, entry.key_at);
    NoteTemplates(*entry.value);
  }
}

std::string Builder::Json(const Node& node) {
  NoteTemplates(node);
  return ToJson(node).dump();
}

google::protobuf::Duration ToProto(microseconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1'000'000);
  proto.set_nanos(static_cast<std::int32_t>(duration.count() % 1'000'000) *
                  1000);
  return proto;
}

microseconds FromProto(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
         microseconds(duration.nanos() / 1000);
}

std::string EscapeBraces(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "{{") {
      escaped += "{{\"{{\"}}";
      ++i;
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

}  // namespace assay::suite
