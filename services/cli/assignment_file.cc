#include "services/cli/assignment_file.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/suite/nearest.h"
#include "runner/suite/units.h"
#include "runner/suite/yaml_tree.h"
#include "services/assignments/time_zone.h"
#include "services/cli/time_text.h"
#include "services/repositories/subject_pattern.h"
#include "services/storage/tables/needs.h"

namespace assay::cli {
namespace {

using suite::Node;

// Puts a key's value where it belongs; an Error's message becomes a diagnostic
// at the value's place.
using Put = std::function<Status(const Node&)>;

struct Key {
  std::string name;
  Put put;
};

Expected<std::string> TextOf(const Node& node, std::size_t most = 1 << 20) {
  if (node.kind != Node::Kind::kScalar || node.text.empty()) {
    return InvalidArgument("expected a text, found ", suite::Describe(node));
  }
  if (node.text.size() > most) {
    return InvalidArgument("expected at most ", most, " characters, found ",
                           node.text.size());
  }
  return node.text;
}

Put Text(std::function<void(const std::string&)> set,
         std::size_t most = 1 << 20) {
  return [set, most](const Node& node) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const std::string text, TextOf(node, most));
    set(text);
    return {};
  };
}

Put Duration(std::function<google::protobuf::Duration*()> field) {
  return [field](const Node& node) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const std::string text, TextOf(node));
    ASSAY_ASSIGN_OR_RETURN(const auto duration, suite::ParseDuration(text));
    *field() = ToProto(duration);
    return {};
  };
}

// A list, or one.
Put Durations(std::function<google::protobuf::Duration*()> add) {
  return [add](const Node& node) -> Status {
    if (node.kind != Node::Kind::kList) return Duration(add)(node);
    for (const auto& item : node.items)
      ASSAY_RETURN_IF_ERROR(Duration(add)(*item));
    return {};
  };
}

Put Time(std::function<google::protobuf::Timestamp*()> field) {
  return [field](const Node& node) -> Status {
    using google::protobuf::util::TimeUtil;
    ASSAY_ASSIGN_OR_RETURN(const std::string text, TextOf(node));
    if (TimeUtil::FromString(text, field())) return {};
    return InvalidArgument("expected a time like 2026-03-01T09:00:00Z, found ",
                           suite::Describe(node));
  };
}

Put Bool(std::function<void(bool)> set) {
  return [set](const Node& node) -> Status {
    if (node.text != "true" && node.text != "false") {
      return InvalidArgument("expected true or false, found ",
                             suite::Describe(node));
    }
    set(node.text == "true");
    return {};
  };
}

Put Count(std::function<void(std::int32_t)> set) {
  return [set](const Node& node) -> Status {
    std::int32_t value = -1;
    const char* end = node.text.data() + node.text.size();
    const auto read = std::from_chars(node.text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end || value < 0) {
      return InvalidArgument("expected a whole number, 0 or more, found ",
                             suite::Describe(node));
    }
    set(value);
    return {};
  };
}

Put Size(std::function<void(std::int64_t)> set) {
  return [set](const Node& node) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const std::string text, TextOf(node));
    ASSAY_ASSIGN_OR_RETURN(const auto bytes, suite::ParseSize(text));
    set(bytes);
    return {};
  };
}

Put Pattern(std::function<void(const std::string&)> set) {
  return [set](const Node& node) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const std::string text, TextOf(node));
    ASSAY_RETURN_IF_ERROR(repositories::SubjectPattern::Compile(text));
    set(text);
    return {};
  };
}

Put TimeZone(std::function<void(const std::string&)> set) {
  return [set](const Node& node) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const std::string text, TextOf(node));
    ASSAY_RETURN_IF_ERROR(assignments::CheckTimeZone(text));
    set(text);
    return {};
  };
}

Put LatePolicy(v1::AssignmentSpec& spec) {
  return [&spec](const Node& node) -> Status {
    static const std::vector<
        std::pair<std::string_view, v1::AssignmentSpec::LatePolicy>>
        kPolicies = {
            {"reject", v1::AssignmentSpec::LATE_POLICY_REJECT},
            {"late", v1::AssignmentSpec::LATE_POLICY_LATE},
            {"practice", v1::AssignmentSpec::LATE_POLICY_PRACTICE},
        };
    for (const auto& [name, policy] : kPolicies) {
      if (node.text != name) continue;
      spec.set_late_policy(policy);
      return {};
    }
    return InvalidArgument("expected reject, late or practice, found ",
                           suite::Describe(node));
  };
}

void ReadMapping(const Node& node, std::string_view what,
                 const std::vector<Key>& keys,
                 suite::Diagnostics& diagnostics) {
  const auto report = [&](const suite::Place& at, std::string message) {
    diagnostics.push_back(
        {at.file, at.line, at.column, std::move(message), false});
  };
  if (node.kind != Node::Kind::kMap) {
    report(node.at,
           std::string(what) + " is a mapping, found " + suite::Describe(node));
    return;
  }
  std::vector<std::string> names;
  for (const Key& key : keys) names.push_back(key.name);
  for (const Node::Entry& entry : node.entries) {
    const auto key = std::ranges::find(keys, entry.key, &Key::name);
    if (key == keys.end()) {
      report(entry.key_at, "unknown key \"" + entry.key + "\" in " +
                               std::string(what) +
                               suite::DidYouMean(entry.key, names));
    } else if (const Status put = key->put(*entry.value); !put) {
      report(entry.value->at, entry.key + ": " + put.error().message);
    }
  }
}

Put Template(AssignmentFile& file, suite::Diagnostics& diagnostics) {
  return [&](const Node& node) -> Status {
    if (node.kind != Node::Kind::kMap) {
      ASSAY_ASSIGN_OR_RETURN(file.template_folder, TextOf(node));
      return {};
    }
    ReadMapping(node, "a template",
                {{"git", Text([&](auto& v) { file.template_git = v; })},
                 {"ref", Text([&](auto& v) { file.template_ref = v; })}},
                diagnostics);
    if (file.template_git.empty() && diagnostics.empty()) {
      return InvalidArgument("expected a folder, or { git: URL, ref: BRANCH }");
    }
    return {};
  };
}

// { pool: NAME, labels: { KEY: VALUE } }
Put Worker(v1::AssignmentSpec& spec) {
  return [&spec](const Node& node) -> Status {
    std::map<std::string, std::string> labels;
    if (node.kind != Node::Kind::kMap)
      return InvalidArgument(
          "expected { pool: NAME, labels: { KEY: VALUE } }, found ",
          suite::Describe(node));
    for (const Node::Entry& entry : node.entries) {
      if (entry.key == "pool") {
        ASSAY_ASSIGN_OR_RETURN(*spec.mutable_worker_pool(),
                               TextOf(*entry.value));
      } else if (entry.key == "labels" &&
                 entry.value->kind == Node::Kind::kMap) {
        for (const Node::Entry& label : entry.value->entries) {
          ASSAY_ASSIGN_OR_RETURN(labels[label.key], TextOf(*label.value));
        }
      } else {
        return InvalidArgument("expected `pool` and a mapping `labels`, found ",
                               entry.key);
      }
    }
    spec.mutable_worker_labels()->insert(labels.begin(), labels.end());
    if (const std::string problem =
            storage::LabelProblem(spec.worker_pool(), labels);
        !problem.empty())
      return InvalidArgument(problem);
    return {};
  };
}

// The format.
std::vector<Key> Keys(AssignmentFile& file, suite::Diagnostics& diagnostics) {
  v1::AssignmentSpec& spec = file.spec;
  return {
      {"title", Text([&](auto& v) { spec.set_title(v); }, 200)},
      {"brief", Text([&](auto& v) { file.brief = v; })},
      {"duration", Duration([&] { return spec.mutable_duration(); })},
      {"grace", Duration([&] { return spec.mutable_grace(); })},
      {"open", Time([&] { return spec.mutable_open_time(); })},
      {"hard_close", Time([&] { return spec.mutable_hard_close_time(); })},
      {"late_policy", LatePolicy(spec)},
      {"allow_force_push", Bool([&](bool v) { spec.set_allow_force_push(v); })},
      {"allow_tags", Bool([&](bool v) { spec.set_allow_tags(v); })},
      {"commit_subject", Pattern([&](auto& v) { spec.set_commit_subject(v); })},
      {"linear_history", Bool([&](bool v) { spec.set_linear_history(v); })},
      {"max_push", Size([&](auto v) { spec.set_max_push_bytes(v); })},
      {"push_runs_per_hour",
       Count([&](auto v) { spec.set_push_runs_per_hour(v); })},
      {"push_runs_at_once",
       Count([&](auto v) { spec.set_push_runs_at_once(v); })},
      {"worker", Worker(spec)},
      {"time_zone", TimeZone([&](auto& v) { spec.set_time_zone(v); })},
      {"ai_policy", Text([&](auto& v) { spec.set_ai_policy(v); })},
      {"invitation_expiry",
       Duration([&] { return spec.mutable_invitation_expiry(); })},
      {"retention", Duration([&] { return spec.mutable_retention(); })},
      {"reminders", Durations([&] { return spec.add_reminders(); })},
      {"template", Template(file, diagnostics)},
      {"suite", Text([&](auto& v) { file.suite_folder = v; })},
      {"rubric", Text([&](auto& v) { file.rubric = v; })},
  };
}

}  // namespace

std::expected<AssignmentFile, suite::Diagnostics> ParseAssignmentFile(
    const std::string& name, const std::string& text) {
  suite::Diagnostics diagnostics;
  AssignmentFile file;
  const auto root = suite::ParseYaml(name, text, diagnostics);
  if (root == nullptr) return std::unexpected(std::move(diagnostics));
  ReadMapping(*root, "an assignment", Keys(file, diagnostics), diagnostics);
  for (const char* needed : {"title", "duration"}) {
    if (root->kind == Node::Kind::kMap && root->Get(needed) == nullptr) {
      diagnostics.push_back(
          {name, 1, 1, "\"" + std::string(needed) + "\" is missing", false});
    }
  }
  const bool no_time =
      file.spec.has_duration() && file.spec.duration().seconds() < 1;
  if (no_time) {
    const suite::Place& at = root->Get("duration")->at;
    diagnostics.push_back(
        {at.file, at.line, at.column, "duration: expected at least 1s", false});
  }
  if (!diagnostics.empty()) {
    std::ranges::sort(diagnostics);
    return std::unexpected(std::move(diagnostics));
  }
  return file;
}

}  // namespace assay::cli
