#include "runner/suite/rubric.h"

#include <map>

#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

// By a list of four, or by a mapping from 1, 2, 3 and 4.
void TakeAnchors(const Node& node, Criterion& criterion, Report& report) {
  if (node.kind == Node::Kind::kList) {
    for (std::size_t i = 0; i < 4; ++i) {
      criterion.anchors[i] = node.items[i]->text;
    }
    return;
  }
  for (const Node::Entry& entry : node.entries) {
    if (entry.key.size() != 1 || entry.key[0] < '1' || entry.key[0] > '4') {
      report.Error(entry.key_at, "anchors: expected 1, 2, 3 or 4, found \"" +
                                     entry.key + "\"");
      continue;
    }
    criterion.anchors[entry.key[0] - '1'] = entry.value->text;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    if (!criterion.anchors[i].empty()) continue;
    report.Error(node.at,
                 "anchors: there is no sentence for " + std::to_string(i + 1));
    return;
  }
}

}  // namespace

std::expected<Rubric, Diagnostics> ParseRubric(std::string_view text) {
  Report report;
  const auto root = ParseYaml(std::string(kRubricFile), text, report.errors());
  if (root == nullptr) return std::unexpected(report.TakeErrors());
  const Files none;
  Validator validator(none, report);
  validator.Check(*root, RubricObject());
  if (!report.ok()) return std::unexpected(report.TakeErrors());

  Rubric rubric;
  std::map<std::string, int> lines;
  for (const auto& item : root->Get("criteria")->items) {
    Criterion criterion;
    criterion.id = item->Get("id")->text;
    criterion.title = item->Get("title")->text;
    if (const Node* weight = item->Get("weight")) {
      criterion.weight = ToJson(*weight).get<double>();
    }
    if (const Node* note = item->Get("needs_note")) {
      criterion.needs_note = ToJson(*note).get<bool>();
    }
    TakeAnchors(*item->Get("anchors"), criterion, report);
    const auto [it, fresh] = lines.emplace(criterion.id, item->at.line);
    if (!fresh) {
      report.Error(item->at, "the id \"" + criterion.id +
                                 "\" is taken by the criterion in line " +
                                 std::to_string(it->second));
    }
    rubric.criteria.push_back(std::move(criterion));
  }
  if (!report.ok()) return std::unexpected(report.TakeErrors());
  return rubric;
}

}  // namespace assay::suite
