#include "runner/suite/jsonpath.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "runner/suite/jsonpath_ast.h"
#include "runner/suite/jsonpath_parser.h"
#include "runner/suite/jsonpath_regex.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

using jsonpath::Expression;
using jsonpath::Function;
using jsonpath::Query;
using jsonpath::Segment;
using jsonpath::Selector;
using nlohmann::json;

struct TooMuch {};

// Documents that nest deeper are refused rather than risk the stack.
constexpr int kMaxDocumentDepth = 1000;

// A node and how it was reached; paths are written out at the end only.
struct Step {
  int parent = -1;
  const std::string* name = nullptr;
  std::size_t index = 0;
};
struct Found {
  const json* value;
  int step;
};
using Nodes = std::vector<Found>;

// Nothing, or a value. Function results are owned.
struct Operand {
  const json* borrowed = nullptr;
  std::optional<json> owned;

  const json* get() const { return owned ? &*owned : borrowed; }
};

bool Less(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) return a < b;
  if (a.is_string() && b.is_string()) return a < b;
  return false;
}

bool Compare(Expression::Comparison comparison, const json* a, const json* b) {
  using C = Expression::Comparison;
  const bool equal = a == nullptr || b == nullptr ? a == b : *a == *b;
  const auto less = [](const json* x, const json* y) {
    return x != nullptr && y != nullptr && Less(*x, *y);
  };
  switch (comparison) {
    case C::kEq:
      return equal;
    case C::kNe:
      return !equal;
    case C::kLt:
      return less(a, b);
    case C::kGt:
      return less(b, a);
    case C::kLe:
      return equal || less(a, b);
    case C::kGe:
      return equal || less(b, a);
  }
  return false;
}

class Evaluation {
 public:
  explicit Evaluation(const json& document) : document_(document) {}

  Nodes Run(const Query& query, const json& current) {
    Nodes nodes = {{query.relative ? &current : &document_, AddStep({})}};
    for (const Segment& segment : query.segments) {
      Nodes next;
      for (const Found& node : nodes) {
        if (segment.descendant) {
          Descend(segment, node, next, 0);
        } else {
          Apply(segment, node, next);
        }
      }
      nodes = std::move(next);
    }
    return nodes;
  }

  std::string PathOf(int step) const {
    std::vector<const Step*> steps;
    for (; step >= 0; step = steps_[step].parent) {
      steps.push_back(&steps_[step]);
    }
    std::string path = "$";
    // The last one is the root itself.
    for (std::size_t i = steps.size() - 1; i-- > 0;) {
      AppendStep(path, *steps[i]);
    }
    return path;
  }

 private:
  static void AppendStep(std::string& path, const Step& step) {
    if (step.name == nullptr) {
      path += '[' + std::to_string(step.index) + ']';
      return;
    }
    path += "['";
    for (const char c : *step.name) AppendEscaped(path, c);
    path += "']";
  }

  static void AppendEscaped(std::string& path, char c) {
    static constexpr std::string_view kPlain = "\b\t\n\f\r'\\";
    static constexpr std::string_view kEscaped = "btnfr'\\";
    const std::size_t known = kPlain.find(c);
    if (c != '\0' && known != std::string_view::npos) {
      path += '\\';
      path += kEscaped[known];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
      path += buffer;
    } else {
      path += c;
    }
  }

  void Spend(std::size_t amount = 1) {
    visits_ += amount;
    if (visits_ > JsonPath::kMaxVisits) throw TooMuch{};
  }

  int AddStep(Step step) {
    Spend();
    steps_.push_back(step);
    return static_cast<int>(steps_.size()) - 1;
  }

  void AddMember(const Found& parent, const std::string& name,
                 const json& value, Nodes& out) {
    out.push_back({&value, AddStep({parent.step, &name, 0})});
  }
  void AddElement(const Found& parent, std::size_t index, Nodes& out) {
    out.push_back(
        {&(*parent.value)[index], AddStep({parent.step, nullptr, index})});
  }

  void Children(const Found& node, Nodes& out) {
    if (node.value->is_array()) {
      for (std::size_t i = 0; i < node.value->size(); ++i) {
        AddElement(node, i, out);
      }
    } else if (node.value->is_object()) {
      const auto& members = node.value->get_ref<const json::object_t&>();
      for (const auto& [name, value] : members) {
        AddMember(node, name, value, out);
      }
    }
  }

  void Descend(const Segment& segment, const Found& node, Nodes& out,
               int depth) {
    if (depth > kMaxDocumentDepth) throw TooMuch{};
    Apply(segment, node, out);
    Nodes children;
    Children(node, children);
    for (const Found& child : children) {
      Descend(segment, child, out, depth + 1);
    }
  }

  void Apply(const Segment& segment, const Found& node, Nodes& out) {
    for (const Selector& selector : segment.selectors) {
      std::visit([&](const auto& s) { Select(s, node, out); }, selector);
    }
  }

  void Select(const jsonpath::NameSelector& selector, const Found& node,
              Nodes& out) {
    Spend();
    if (!node.value->is_object()) return;
    const auto& members = node.value->get_ref<const json::object_t&>();
    const auto it = members.find(selector.name);
    if (it != members.end()) AddMember(node, it->first, it->second, out);
  }

  void Select(const jsonpath::WildcardSelector&, const Found& node,
              Nodes& out) {
    Children(node, out);
  }

  void Select(const jsonpath::IndexSelector& selector, const Found& node,
              Nodes& out) {
    Spend();
    if (!node.value->is_array()) return;
    const auto size = static_cast<std::int64_t>(node.value->size());
    const std::int64_t index =
        selector.index < 0 ? size + selector.index : selector.index;
    if (index < 0 || index >= size) return;
    AddElement(node, static_cast<std::size_t>(index), out);
  }

  void Select(const jsonpath::SliceSelector& slice, const Found& node,
              Nodes& out) {
    Spend();
    if (!node.value->is_array() || slice.step == 0) return;
    const auto size = static_cast<std::int64_t>(node.value->size());
    const bool forward = slice.step > 0;
    const auto normal = [&](std::int64_t i) { return i < 0 ? size + i : i; };
    const std::int64_t start =
        normal(slice.start.value_or(forward ? 0 : size - 1));
    // Without an end, "before the first" must not be taken for the last.
    const std::int64_t end = slice.end ? normal(*slice.end)
                             : forward ? size
                                       : -1;
    if (forward) {
      const std::int64_t upper = std::clamp<std::int64_t>(end, 0, size);
      for (std::int64_t i = std::clamp<std::int64_t>(start, 0, size); i < upper;
           i += slice.step) {
        AddElement(node, static_cast<std::size_t>(i), out);
      }
      return;
    }
    const std::int64_t lower = std::clamp<std::int64_t>(end, -1, size - 1);
    for (std::int64_t i = std::clamp<std::int64_t>(start, -1, size - 1);
         i > lower; i += slice.step) {
      AddElement(node, static_cast<std::size_t>(i), out);
    }
  }

  void Select(const jsonpath::FilterSelector& filter, const Found& node,
              Nodes& out) {
    Nodes children;
    Children(node, children);
    for (const Found& child : children) {
      const std::size_t mark = steps_.size();
      const bool selected = Test(*filter.expression, *child.value);
      // What the filter's own queries visited is not part of any path.
      steps_.resize(mark);
      if (selected) out.push_back(child);
    }
  }

  bool Test(const Expression& expression, const json& current) {
    Spend();
    switch (expression.kind) {
      case Expression::Kind::kOr:
        return std::any_of(
            expression.operands.begin(), expression.operands.end(),
            [&](const Expression& e) { return Test(e, current); });
      case Expression::Kind::kAnd:
        return std::all_of(
            expression.operands.begin(), expression.operands.end(),
            [&](const Expression& e) { return Test(e, current); });
      case Expression::Kind::kNot:
        return !Test(expression.operands[0], current);
      case Expression::Kind::kCompare: {
        const Operand left = ValueOf(expression.operands[0], current);
        const Operand right = ValueOf(expression.operands[1], current);
        return Compare(expression.comparison, left.get(), right.get());
      }
      case Expression::Kind::kQuery:
        return !Run(expression.query, current).empty();
      case Expression::Kind::kCall:
        return Match(expression, current);
      case Expression::Kind::kLiteral:
        break;
    }
    return false;
  }

  bool Match(const Expression& call, const json& current) {
    const Operand text = ValueOf(call.operands[0], current);
    const Operand pattern = ValueOf(call.operands[1], current);
    if (text.get() == nullptr || !text.get()->is_string() ||
        pattern.get() == nullptr || !pattern.get()->is_string()) {
      return false;
    }
    const auto& subject = text.get()->get_ref<const std::string&>();
    const auto& regex = pattern.get()->get_ref<const std::string&>();
    Spend(1 + subject.size() / 64);
    return regexes_.Matches(regex, subject, call.function == Function::kMatch,
                            [this] { Spend(1000); });
  }

  Operand ValueOf(const Expression& expression, const json& current) {
    if (expression.kind == Expression::Kind::kLiteral) {
      return {&expression.literal, std::nullopt};
    }
    if (expression.kind == Expression::Kind::kQuery) {
      const Nodes nodes = Run(expression.query, current);
      return {nodes.empty() ? nullptr : nodes[0].value, std::nullopt};
    }
    if (expression.function == Function::kLength) {
      return {nullptr, LengthOf(ValueOf(expression.operands[0], current))};
    }
    const Nodes nodes = Run(expression.operands[0].query, current);
    if (expression.function == Function::kCount) {
      return {nullptr, json(nodes.size())};
    }
    return {nodes.size() == 1 ? nodes[0].value : nullptr, std::nullopt};
  }

  static std::optional<json> LengthOf(const Operand& operand) {
    const json* value = operand.get();
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) {
      return json(CodePoints(value->get_ref<const std::string&>()));
    }
    if (value->is_structured()) return json(value->size());
    return std::nullopt;
  }

  const json& document_;
  std::vector<Step> steps_;
  std::size_t visits_ = 0;
  jsonpath::RegexCache regexes_;
};

}  // namespace

JsonPath::JsonPath(std::string text, std::shared_ptr<const Query> query)
    : text_(std::move(text)), query_(std::move(query)) {}

Expected<JsonPath> JsonPath::Parse(std::string_view text) {
  ASSAY_ASSIGN_OR_RETURN(Query query, jsonpath::ParseQuery(text));
  return JsonPath(std::string(text),
                  std::make_shared<const Query>(std::move(query)));
}

bool JsonPath::singular() const { return query_->Singular(); }

Expected<std::vector<PathNode>> JsonPath::Select(const json& document) const {
  Evaluation evaluation(document);
  try {
    std::vector<PathNode> nodes;
    for (const Found& found : evaluation.Run(*query_, document)) {
      nodes.push_back({evaluation.PathOf(found.step), found.value});
    }
    return nodes;
  } catch (const TooMuch&) {
    return ResourceExhausted("the query ", Shorten(text_, 80),
                             " visits more than ", kMaxVisits,
                             " nodes of the document, or nests too deeply");
  }
}

}  // namespace assay::suite
