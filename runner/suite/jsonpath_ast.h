#ifndef ASSAY_RUNNER_SUITE_JSONPATH_AST_H_
#define ASSAY_RUNNER_SUITE_JSONPATH_AST_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// A parsed JSONPath query, in the words of RFC 9535.
namespace assay::suite::jsonpath {

struct Expression;

struct NameSelector {
  std::string name;
};
struct WildcardSelector {};
struct IndexSelector {
  std::int64_t index = 0;
};
struct SliceSelector {
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> end;
  std::int64_t step = 1;
};
struct FilterSelector {
  std::shared_ptr<const Expression> expression;
};
using Selector = std::variant<NameSelector, WildcardSelector, IndexSelector,
                              SliceSelector, FilterSelector>;

struct Segment {
  bool descendant = false;
  std::vector<Selector> selectors;
};

struct Query {
  // Starts at the current node (@) instead of the document ($).
  bool relative = false;
  std::vector<Segment> segments;

  bool Singular() const;
};

enum class Function { kLength, kCount, kMatch, kSearch, kValue };

// Literal, query, function call, comparison or logical operator.
struct Expression {
  enum class Kind {
    kLiteral,
    kQuery,
    kCall,
    kCompare,
    kAnd,
    kOr,
    kNot,
  };
  enum class Comparison { kEq, kNe, kLt, kLe, kGt, kGe };

  Kind kind = Kind::kLiteral;
  nlohmann::json literal;
  Query query;
  Function function = Function::kLength;
  Comparison comparison = Comparison::kEq;
  // Of a call, a comparison or an operator.
  std::vector<Expression> operands;
};

}  // namespace assay::suite::jsonpath

#endif  // ASSAY_RUNNER_SUITE_JSONPATH_AST_H_
