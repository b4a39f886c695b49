#include "runner/suite/verification.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "runner/suite/nearest.h"
#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

using Kind = KnownSolution::Kind;
using Points = std::map<std::string, double>;

std::string TextAt(const Node& map, std::string_view key) {
  const Node* node = map.Get(key);
  return node == nullptr ? "" : node->text;
}

std::string Plain(double points) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%g", points);
  return buffer;
}

class Reader {
 public:
  Reader(const plan::v1::Plan& plan, Report& report) : report_(report) {
    for (const plan::v1::Check& check : plan.checks()) {
      full_[check.id()] = FullPoints(check);
      ids_.push_back(check.id());
    }
  }

  Verification Read(const Node& root) {
    Verification result;
    KnownSolution reference{.kind = Kind::kReference,
                            .id = "reference",
                            .title = "The reference",
                            .folder = TextAt(*root.Get("reference"), "folder"),
                            .earns = full_};
    taken_ = {"reference", "template"};
    result.solutions.push_back(reference);
    if (const Node* others = root.Get("reference")->Get("others")) {
      for (const auto& item : others->items) {
        result.solutions.push_back(Other(*item));
      }
    }
    if (const Node* node = root.Get("template")) {
      result.solutions.push_back({.kind = Kind::kTemplate,
                                  .id = "template",
                                  .title = "The template",
                                  .folder = TextAt(*node, "folder"),
                                  .earns = Template(*node)});
    }
    for (const auto& item : root.Get("variants")->items) {
      result.solutions.push_back(Variant(*item, reference.folder));
    }
    for (const auto& [id, points] : full_) {
      if (points > 0 && !guarded_.contains(id)) result.unguarded.push_back(id);
    }
    return result;
  }

 private:
  // Points by check, from a list of ids (all of their points) or a mapping.
  Points PointsOf(const Node& node) {
    Points points;
    const auto add = [&](const std::string& id, const Place& at,
                         const Node* number) {
      const auto known = full_.find(id);
      if (known == full_.end()) {
        report_.Error(
            at, "the suite has no check \"" + id + "\"" + DidYouMean(id, ids_));
        return;
      }
      const double most = known->second;
      const double value =
          number == nullptr ? most : ToJson(*number).get<double>();
      if (value > most) {
        report_.Error(number->at, "the check \"" + id + "\" is worth " +
                                      Plain(most) + " points, found " +
                                      Plain(value));
      }
      points[id] = value;
    };
    for (const auto& item : node.items) add(item->text, item->at, nullptr);
    for (const Node::Entry& entry : node.entries) {
      add(entry.key, entry.key_at, entry.value.get());
    }
    return points;
  }

  // Named after its folder.
  KnownSolution Other(const Node& folder) {
    std::string path = folder.text;
    while (path.ends_with('/')) path.pop_back();
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!taken_.insert(name).second) {
      report_.Error(folder.at, "the id \"" + name + "\" is taken");
    }
    return {.kind = Kind::kReference,
            .id = name,
            .title = "Another sound solution",
            .folder = path,
            .earns = full_};
  }

  Points Template(const Node& node) {
    Points earns;
    for (const auto& [id, points] : full_) earns[id] = 0;
    const Node* said = node.Get("earns");
    if (said == nullptr) return earns;
    for (const auto& [id, points] : PointsOf(*said)) earns[id] = points;
    return earns;
  }

  KnownSolution Variant(const Node& node, const std::string& reference) {
    KnownSolution variant{.id = TextAt(node, "id"),
                          .title = TextAt(node, "title"),
                          .folder = TextAt(node, "folder"),
                          .patch = TextAt(node, "patch"),
                          .overlay = TextAt(node, "overlay"),
                          .earns = full_};
    if (variant.folder.empty()) variant.folder = reference;
    if (!taken_.insert(variant.id).second) {
      report_.Error(node.Get("id")->at,
                    "the id \"" + variant.id + "\" is taken");
    }
    const Node& said = *node.Get("loses");
    const Points loses = PointsOf(said);
    if (said.items.empty() && said.entries.empty()) {
      report_.Error(said.at,
                    "loses: expected at least one check; a variant that no "
                    "check catches shows nothing");
    }
    for (const auto& [id, points] : loses) {
      variant.earns[id] -= points;
      if (points > 0) guarded_.insert(id);
    }
    return variant;
  }

  Report& report_;
  Points full_;
  std::vector<std::string> ids_;
  std::set<std::string> taken_;
  std::set<std::string> guarded_;
};

std::shared_ptr<const Node> Parse(std::string_view text, Report& report) {
  return ParseYaml(std::string(kVerificationFile), text, report.errors());
}

}  // namespace

double FullPoints(const plan::v1::Check& check) {
  if (check.claimed()) return 0;
  return check.cap() > 0 ? std::min(check.cap(), check.points())
                         : check.points();
}

std::expected<std::string, Diagnostics> SuiteFolderOf(std::string_view text) {
  Report report;
  const auto root = Parse(text, report);
  if (root == nullptr) return std::unexpected(report.TakeErrors());
  const Node* folder = root->Get("suite");
  return folder == nullptr || folder->text.empty() ? "suite" : folder->text;
}

std::expected<Verification, Diagnostics> ParseVerification(
    std::string_view text, const Files& files, const plan::v1::Plan& plan) {
  Report report;
  const auto root = Parse(text, report);
  if (root == nullptr) return std::unexpected(report.TakeErrors());
  Validator validator(files, report, "the assignment's folder");
  validator.Check(*root, VerificationObject());
  if (!report.ok()) return std::unexpected(report.TakeErrors());
  Verification result = Reader(plan, report).Read(*root);
  if (!report.ok()) return std::unexpected(report.TakeErrors());
  return result;
}

}  // namespace assay::suite
