#include "runner/suite/jsonpath_parser.h"

#include <array>

#include "runner/suite/jsonpath.h"
#include "runner/suite/jsonpath_lexer.h"
#include "runner/suite/utf8.h"

namespace assay::suite::jsonpath {
namespace {

using Kind = Expression::Kind;

// Types of the RFC, section 2.4.1.
enum class ValueType { kValue, kLogical, kNodes };

struct Signature {
  std::string_view name;
  Function function;
  ValueType result;
  std::vector<ValueType> parameters;
};

const std::vector<Signature>& Signatures() {
  static const std::vector<Signature> kSignatures = {
      {"length", Function::kLength, ValueType::kValue, {ValueType::kValue}},
      {"count", Function::kCount, ValueType::kValue, {ValueType::kNodes}},
      {"match",
       Function::kMatch,
       ValueType::kLogical,
       {ValueType::kValue, ValueType::kValue}},
      {"search",
       Function::kSearch,
       ValueType::kLogical,
       {ValueType::kValue, ValueType::kValue}},
      {"value", Function::kValue, ValueType::kValue, {ValueType::kNodes}},
  };
  return kSignatures;
}

const Signature& SignatureOf(Function function) {
  for (const Signature& signature : Signatures()) {
    if (signature.function == function) return signature;
  }
  return Signatures()[0];
}

// One method per rule of the grammar.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Query Whole() {
    if (!lexer_.Take("$")) lexer_.Fail("a JSONPath starts with $");
    Query query;
    query.segments = Segments();
    if (!lexer_.AtEnd()) lexer_.Fail("expected a segment such as .name or [0]");
    return query;
  }

 private:
  static constexpr int kMaxDepth = 64;

  struct Nested {
    explicit Nested(Parser& parser) : parser(parser) {
      if (++parser.depth_ > kMaxDepth) parser.lexer_.Fail("nested too deeply");
    }
    ~Nested() { --parser.depth_; }
    Parser& parser;
  };

  std::vector<Segment> Segments() {
    std::vector<Segment> segments;
    while (true) {
      const std::size_t before = lexer_.position();
      lexer_.SkipBlanks();
      if (lexer_.LooksAt("[")) {
        segments.push_back({false, Bracketed()});
      } else if (lexer_.Take("..")) {
        segments.push_back(
            {true, lexer_.LooksAt("[") ? Bracketed() : Shorthand()});
      } else if (lexer_.Take(".")) {
        segments.push_back({false, Shorthand()});
      } else {
        // Blanks behind the last segment belong to what follows.
        lexer_.Rewind(before);
        return segments;
      }
    }
  }

  std::vector<Selector> Shorthand() {
    if (lexer_.Take("*")) return {WildcardSelector{}};
    return {NameSelector{lexer_.MemberName()}};
  }

  std::vector<Selector> Bracketed() {
    const Nested nested(*this);
    lexer_.Expect("[", "here");
    std::vector<Selector> selectors;
    do {
      lexer_.SkipBlanks();
      selectors.push_back(OneSelector());
      lexer_.SkipBlanks();
    } while (lexer_.Take(","));
    lexer_.Expect("]", "or a comma after the selector");
    return selectors;
  }

  Selector OneSelector() {
    if (lexer_.AtString()) return NameSelector{lexer_.String()};
    if (lexer_.Take("*")) return WildcardSelector{};
    if (lexer_.Take("?")) {
      lexer_.SkipBlanks();
      return FilterSelector{std::make_shared<const Expression>(Or())};
    }
    if (lexer_.AtInteger() || lexer_.LooksAt(":")) return IndexOrSlice();
    lexer_.Fail("expected a name in quotes, an index, a slice, * or a filter");
  }

  Selector IndexOrSlice() {
    std::optional<std::int64_t> start;
    if (lexer_.AtInteger()) start = lexer_.Integer();
    const std::size_t before = lexer_.position();
    lexer_.SkipBlanks();
    if (!lexer_.Take(":")) {
      lexer_.Rewind(before);
      return IndexSelector{*start};
    }
    SliceSelector slice{start, std::nullopt, 1};
    lexer_.SkipBlanks();
    if (lexer_.AtInteger()) {
      slice.end = lexer_.Integer();
      lexer_.SkipBlanks();
    }
    if (lexer_.Take(":")) {
      lexer_.SkipBlanks();
      if (lexer_.AtInteger()) slice.step = lexer_.Integer();
    }
    return slice;
  }

  Expression Operator(Kind kind, std::vector<Expression> operands) {
    Expression expression;
    expression.kind = kind;
    expression.operands = std::move(operands);
    return expression;
  }

  Expression Or() {
    const Nested nested(*this);
    std::vector<Expression> operands;
    do {
      lexer_.SkipBlanks();
      operands.push_back(And());
      lexer_.SkipBlanks();
    } while (lexer_.Take("||"));
    if (operands.size() == 1) return std::move(operands[0]);
    return Operator(Kind::kOr, std::move(operands));
  }

  Expression And() {
    std::vector<Expression> operands;
    do {
      lexer_.SkipBlanks();
      operands.push_back(Basic());
      lexer_.SkipBlanks();
    } while (lexer_.Take("&&"));
    if (operands.size() == 1) return std::move(operands[0]);
    return Operator(Kind::kAnd, std::move(operands));
  }

  Expression Basic() {
    if (lexer_.Take("!")) {
      lexer_.SkipBlanks();
      Expression inner = lexer_.LooksAt("(") ? Parenthesised() : Test();
      return Operator(Kind::kNot, {std::move(inner)});
    }
    if (lexer_.LooksAt("(")) return Parenthesised();
    const std::size_t start = lexer_.position();
    Expression left = Operand();
    lexer_.SkipBlanks();
    if (const auto comparison = TakeComparison()) {
      RequireValue(left, start);
      lexer_.SkipBlanks();
      const std::size_t right_start = lexer_.position();
      Expression right = Operand();
      RequireValue(right, right_start);
      Expression compare =
          Operator(Kind::kCompare, {std::move(left), std::move(right)});
      compare.comparison = *comparison;
      return compare;
    }
    RequireTest(left, start);
    return left;
  }

  Expression Parenthesised() {
    const Nested nested(*this);
    lexer_.Expect("(", "here");
    Expression inner = Or();
    lexer_.SkipBlanks();
    lexer_.Expect(")", "after the expression");
    return inner;
  }

  Expression Test() {
    const std::size_t start = lexer_.position();
    Expression test = Operand();
    RequireTest(test, start);
    return test;
  }

  std::optional<Expression::Comparison> TakeComparison() {
    using C = Expression::Comparison;
    static constexpr std::array<std::pair<std::string_view, C>, 6> kTokens = {
        {{"==", C::kEq},
         {"!=", C::kNe},
         {"<=", C::kLe},
         {">=", C::kGe},
         {"<", C::kLt},
         {">", C::kGt}}};
    for (const auto& [token, comparison] : kTokens) {
      if (lexer_.Take(token)) return comparison;
    }
    return std::nullopt;
  }

  // A literal, a query or a call.
  Expression Operand() {
    Expression operand;
    if (lexer_.AtString()) {
      operand.literal = lexer_.String();
      return operand;
    }
    if (lexer_.AtInteger()) {
      operand.literal = lexer_.Number();
      return operand;
    }
    if (lexer_.LooksAt("@") || lexer_.LooksAt("$")) {
      operand.kind = Kind::kQuery;
      operand.query.relative = lexer_.Take("@");
      if (!operand.query.relative) lexer_.Take("$");
      operand.query.segments = Segments();
      return operand;
    }
    return LiteralOrCall();
  }

  Expression LiteralOrCall() {
    const std::size_t start = lexer_.position();
    const std::string name = lexer_.FunctionName();
    Expression operand;
    if (!lexer_.LooksAt("(")) {
      if (name == "null") return operand;
      if (name == "true" || name == "false") {
        operand.literal = name == "true";
        return operand;
      }
      lexer_.Rewind(start);
      lexer_.Fail("expected a query (@ or $), a literal or a function");
    }
    for (const Signature& signature : Signatures()) {
      if (signature.name == name) return Call(signature);
    }
    lexer_.Rewind(start);
    lexer_.Fail("unknown function " + Shorten(name, 40) +
                "(); there are length, count, match, search and value");
  }

  Expression Call(const Signature& signature) {
    const Nested nested(*this);
    Expression call;
    call.kind = Kind::kCall;
    call.function = signature.function;
    lexer_.Expect("(", "after the function's name");
    lexer_.SkipBlanks();
    while (!lexer_.LooksAt(")")) {
      if (!call.operands.empty()) {
        lexer_.Expect(",", "or ) after the argument");
        lexer_.SkipBlanks();
      }
      call.operands.push_back(Argument(signature, call.operands.size()));
      lexer_.SkipBlanks();
    }
    if (call.operands.size() < signature.parameters.size()) {
      lexer_.Fail(Arity(signature));
    }
    lexer_.Expect(")", "here");
    return call;
  }

  static std::string Arity(const Signature& signature) {
    return std::string(signature.name) + "() takes " +
           (signature.parameters.size() == 1 ? "one argument"
                                             : "two arguments");
  }

  Expression Argument(const Signature& signature, std::size_t index) {
    if (index >= signature.parameters.size()) lexer_.Fail(Arity(signature));
    const std::size_t start = lexer_.position();
    Expression argument = Operand();
    if (signature.parameters[index] == ValueType::kValue) {
      RequireValue(argument, start);
    } else if (argument.kind != Kind::kQuery) {
      lexer_.Rewind(start);
      lexer_.Fail(std::string(signature.name) + "() takes a query");
    }
    return argument;
  }

  void RequireValue(const Expression& operand, std::size_t start) {
    if (operand.kind == Kind::kQuery && !operand.query.Singular()) {
      lexer_.Rewind(start);
      lexer_.Fail("a query that can yield several nodes has no single value");
    }
    if (operand.kind == Kind::kCall &&
        SignatureOf(operand.function).result != ValueType::kValue) {
      lexer_.Rewind(start);
      lexer_.Fail(std::string(SignatureOf(operand.function).name) +
                  "() is a test and has no value");
    }
  }

  void RequireTest(const Expression& operand, std::size_t start) {
    if (operand.kind == Kind::kLiteral) {
      lexer_.Rewind(start);
      lexer_.Fail("a literal by itself is no test; compare it with something");
    }
    if (operand.kind == Kind::kCall &&
        SignatureOf(operand.function).result == ValueType::kValue) {
      lexer_.Rewind(start);
      lexer_.Fail(std::string(SignatureOf(operand.function).name) +
                  "() is no test; compare it with something");
    }
  }

  Lexer lexer_;
  int depth_ = 0;
};

}  // namespace

bool Query::Singular() const {
  for (const Segment& segment : segments) {
    if (segment.descendant || segment.selectors.size() != 1) return false;
    const Selector& selector = segment.selectors[0];
    if (!std::holds_alternative<NameSelector>(selector) &&
        !std::holds_alternative<IndexSelector>(selector)) {
      return false;
    }
  }
  return true;
}

Expected<Query> ParseQuery(std::string_view text) {
  if (text.size() > JsonPath::kMaxLength) {
    return InvalidArgument("the query has more than ", JsonPath::kMaxLength,
                           " characters");
  }
  const std::size_t valid = ValidUtf8Prefix(text);
  if (valid < text.size()) return InvalidArgument("the query is not UTF-8");
  try {
    return Parser(text).Whole();
  } catch (const SyntaxError& e) {
    return InvalidArgument(e.message, ", at character ",
                           CodePoints(text.substr(0, e.position)) + 1, " of ",
                           Shorten(text, 80));
  }
}

}  // namespace assay::suite::jsonpath
