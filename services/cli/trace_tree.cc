#include "services/cli/trace_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>

#include "services/cli/printable.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

// Old and new names of OpenTelemetry's database conventions.
constexpr std::string_view kSqlAttributes[] = {"db.query.text", "db.statement"};
constexpr std::size_t kMostDepth = 200;
// So many neighbours with the same name are shown by their slowest.
constexpr std::size_t kManyAlike = 4;
constexpr std::size_t kTextColumns = 90;

std::string Attribute(
    const google::protobuf::RepeatedPtrField<otlp::v1::KeyValue>& attributes,
    std::string_view key) {
  for (const auto& attribute : attributes) {
    if (attribute.key() == key) return attribute.value().string_value();
  }
  return "";
}

TraceNode NodeOf(const otlp::v1::Span& span, const std::string& service) {
  TraceNode node;
  node.name = Printable(span.name());
  node.service = service;
  for (const auto key : kSqlAttributes) {
    if (node.sql.empty()) {
      node.sql = Printable(Attribute(span.attributes(), key));
    }
  }
  node.start_ns = span.start_time_unix_nano();
  node.duration_ns =
      std::max(span.end_time_unix_nano(), node.start_ns) - node.start_ns;
  node.error = span.status().code() == otlp::v1::SpanStatus::STATUS_CODE_ERROR;
  node.error_message = Printable(span.status().message());
  return node;
}

bool StartsBefore(const TraceNode& a, const TraceNode& b) {
  return std::pair(a.start_ns, std::string_view(a.name)) <
         std::pair(b.start_ns, std::string_view(b.name));
}

struct Flat {
  TraceNode node;
  std::string parent;
};
using ById = std::map<std::string, Flat>;
using ByParent = std::multimap<std::string, const std::string*>;

// Candidates report spans too, so parents may form rings and any depth.
TraceNode Take(const std::string& id, ById& spans, const ByParent& children,
               std::size_t depth) {
  TraceNode node = std::move(spans.at(id).node);
  spans.erase(id);
  if (depth < kMostDepth) {
    const auto [first, last] = children.equal_range(id);
    for (auto it = first; it != last; ++it) {
      if (!spans.contains(*it->second)) continue;
      node.children.push_back(Take(*it->second, spans, children, depth + 1));
    }
  }
  std::ranges::sort(node.children, StartsBefore);
  return node;
}

std::string Duration(std::uint64_t ns) {
  return DurationText(std::chrono::nanoseconds(ns));
}

bool HasError(const TraceNode& node) {
  return node.error || std::ranges::any_of(node.children, HasError);
}

bool SameLabel(const TraceNode& a, const TraceNode& b) {
  return a.name == b.name && a.sql == b.sql && a.error == b.error &&
         a.error_message == b.error_message;
}

bool BothLeaves(const TraceNode& a, const TraceNode& b) {
  return a.children.empty() && b.children.empty();
}

std::string Label(const TraceNode& node, const TreeOptions& options) {
  if (node.sql.empty() || node.sql == node.name) return node.name;
  return options.all ? node.sql : Shorten(node.sql, kTextColumns);
}

// Neighbours that share a line. `shown` is the one whose children are drawn.
struct Group {
  const TraceNode* shown = nullptr;
  std::size_t count = 0;
  std::uint64_t total_ns = 0;
};

std::vector<Group> GroupsOf(const std::vector<TraceNode>& nodes,
                            const TreeOptions& options) {
  std::vector<const TraceNode*> kept;
  for (const TraceNode& node : nodes) {
    if (!options.errors_only || HasError(node)) kept.push_back(&node);
  }
  std::vector<Group> groups;
  for (std::size_t i = 0; i < kept.size();) {
    std::size_t same = i;
    bool leaves = kept[i]->children.empty();
    while (same < kept.size() && SameLabel(*kept[i], *kept[same])) {
      leaves &= BothLeaves(*kept[i], *kept[same++]);
    }
    const bool one_line = !options.all && (leaves || same - i >= kManyAlike);
    const std::size_t end = one_line ? same : i + 1;
    Group group;
    for (; i < end; ++i, ++group.count) {
      group.total_ns += kept[i]->duration_ns;
      if (!group.shown || kept[i]->duration_ns > group.shown->duration_ns) {
        group.shown = kept[i];
      }
    }
    groups.push_back(group);
  }
  return groups;
}

std::string LineOf(const Group& group, const TreeOptions& options) {
  const TraceNode& node = *group.shown;
  std::string text = Label(node, options);
  if (group.count > 1) text += fmt::format("  × {}", group.count);
  text += "  " + Duration(group.total_ns);
  if (group.count > 1 && !node.children.empty()) {
    text += ", the slowest " + Duration(node.duration_ns);
  }
  if (node.error) {
    text += "  ✗";
    const std::string& why = node.error_message;
    if (!why.empty()) {
      text += " " + (options.all ? why : Shorten(why, kTextColumns));
    }
  }
  return text;
}

void AddLines(const std::vector<TraceNode>& nodes, const std::string& indent,
              int depth, const TreeOptions& options,
              std::vector<std::string>& lines) {
  if (options.depth > 0 && depth >= options.depth) return;
  const std::vector<Group> groups = GroupsOf(nodes, options);
  for (const Group& group : groups) {
    const bool last = &group == &groups.back();
    const std::string_view branch = depth == 0 ? "" : last ? "└─ " : "├─ ";
    const std::string_view below = depth == 0 ? "" : last ? "   " : "│  ";
    lines.push_back(indent + std::string(branch) + LineOf(group, options));
    AddLines(group.shown->children, indent + std::string(below), depth + 1,
             options, lines);
  }
}

template <class Visit>
void ForEach(const std::vector<TraceNode>& nodes, const Visit& visit) {
  for (const TraceNode& node : nodes) {
    visit(node);
    ForEach(node.children, visit);
  }
}

}  // namespace

std::vector<TraceNode> BuildTrace(const v1::GetTraceResponse& response) {
  ById spans;
  for (const auto& resource : response.resource_spans()) {
    const std::string service =
        Printable(Attribute(resource.resource().attributes(), "service.name"));
    for (const auto& scope : resource.scope_spans()) {
      for (const otlp::v1::Span& span : scope.spans()) {
        spans.insert_or_assign(
            span.span_id(), Flat{NodeOf(span, service), span.parent_span_id()});
      }
    }
  }
  ByParent children;
  std::vector<std::string> ids;
  for (const auto& [id, flat] : spans) ids.push_back(id);
  for (const std::string& id : ids) {
    const std::string& parent = spans.at(id).parent;
    children.emplace(parent, &id);
  }
  std::vector<TraceNode> roots;
  const auto take = [&](const std::string& id) {
    roots.push_back(Take(id, spans, children, 0));
  };
  std::vector<std::string> root_ids;
  for (const std::string& id : ids) {
    if (!spans.contains(spans.at(id).parent)) root_ids.push_back(id);
  }
  for (const std::string& id : root_ids) take(id);
  // What is left hangs on a ring.
  for (const std::string& id : ids) {
    if (spans.contains(id)) take(id);
  }
  std::ranges::sort(roots, StartsBefore);
  return roots;
}

std::vector<std::string> TreeLines(const std::vector<TraceNode>& roots,
                                   const TreeOptions& options) {
  std::vector<std::string> lines;
  AddLines(roots, "", 0, options, lines);
  return lines;
}

const TraceNode* Find(const std::vector<TraceNode>& roots,
                      const std::string& name) {
  for (const TraceNode& node : roots) {
    if (node.name == name) return &node;
    if (const TraceNode* found = Find(node.children, name)) return found;
  }
  return nullptr;
}

std::vector<const TraceNode*> Slowest(const std::vector<TraceNode>& roots) {
  std::vector<const TraceNode*> nodes;
  ForEach(roots, [&](const TraceNode& node) { nodes.push_back(&node); });
  std::ranges::sort(nodes, std::greater<>(), &TraceNode::duration_ns);
  return nodes;
}

std::vector<StatementUse> Statements(const std::vector<TraceNode>& roots) {
  std::map<std::string, StatementUse> uses;
  ForEach(roots, [&](const TraceNode& node) {
    if (node.sql.empty()) return;
    StatementUse& use = uses[node.sql];
    use.sql = node.sql;
    ++use.count;
    use.total_ns += node.duration_ns;
    use.longest_ns = std::max(use.longest_ns, node.duration_ns);
  });
  std::vector<StatementUse> result;
  for (auto& [sql, use] : uses) result.push_back(std::move(use));
  std::ranges::sort(result, std::greater<>(), &StatementUse::total_ns);
  return result;
}

}  // namespace assay::cli
