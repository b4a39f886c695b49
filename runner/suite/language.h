#ifndef ASSAY_RUNNER_SUITE_LANGUAGE_H_
#define ASSAY_RUNNER_SUITE_LANGUAGE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assay/plan/v1/plan.pb.h"

// The assessment language as one table. The validator, the editor's JSON
// Schema and the reference page are all read off it, so that they cannot
// disagree.
namespace assay::suite {

// What a value is.
enum class Type {
  kText,         // any scalar, no templates
  kTemplate,     // any scalar; templates are expanded
  kPath,         // of a URL: starts with "/", or is a template
  kName,         // an identifier: [A-Za-z_][A-Za-z0-9_-]*
  kId,           // [a-z0-9][a-z0-9-]*, up to 60
  kBool,         //
  kInteger,      //
  kNumber,       //
  kDuration,     // with its unit
  kSize,         //
  kBandwidth,    //
  kRate,         //
  kPercentage,   //
  kChoice,       // one of `choices`
  kFile,         // a file of the suite
  kFolder,       // a folder of the suite
  kRegex,        // RE2
  kJsonPath,     // RFC 9535
  kJson,         // any YAML value; templates are expanded
  kExpectation,  // a scalar or matchers; `subject` says of what
  kQueries,      // a mapping from JSONPath to expectations
  kObject,       // `object`
  kList,         // of `element`
  kMap,          // from names to `element`
  kStep,         // one step, any verb
  kHttpStep,     // one HTTP step
};

// What an expectation is about: it decides which matchers make sense and what
// operands are.
enum class Subject {
  kStatus,
  kText,
  kNumber,
  kDuration,
  kFraction,
  kValue,  // one JSON value
  kNodes,  // the nodelist of a query that is not singular
};

struct Object;

// One way to write a value. A key may have several, told apart by whether the
// value is a scalar, a list or a mapping.
struct Shape {
  Type type = Type::kText;
  // kObject. A function, because objects refer to each other.
  const Object& (*object)() = nullptr;
  // kList, kMap: one shape, or several as above.
  std::vector<Shape> element = {};
  std::vector<std::string> choices = {};
  Subject subject = Subject::kValue;
  // kInteger, kNumber: bounds; kList: lengths; kDuration: in microseconds.
  double least = 0;
  double most = 1e15;
};

struct Key {
  std::string name;
  std::vector<Shape> shapes;
  bool required = false;
  // A sentence for the reference page, in plain Markdown.
  std::string doc;
  // As one would write it; empty: there is none.
  std::string fallback = "";
};

// Keys of which a mapping may have only one.
struct Group {
  std::vector<std::string> keys;
  bool required = false;
};

// A mapping with known keys.
struct Object {
  // As messages say it, with its article: "an HTTP step".
  std::string title;
  std::string doc;
  std::vector<Key> keys;
  // A snippet for the reference page.
  std::string example = "";
  std::vector<Group> groups = {};

  const Key* Find(std::string_view key) const;
  std::vector<std::string> Names() const;
};

// The verbs of steps. Each step has exactly one.
struct Verb {
  std::string name;
  // The keys of a step with this verb, the verb's own among them.
  const Object& (*object)();
};
const std::vector<Verb>& Verbs();
const Verb* FindVerb(std::string_view name);
bool IsHttpVerb(std::string_view name);

struct MatcherRule {
  std::string name;
  plan::v1::Matcher::Op op;
  std::vector<Subject> subjects;
  std::string doc;
};
const std::vector<MatcherRule>& Matchers();
const MatcherRule* FindMatcher(std::string_view name);
bool Allows(const MatcherRule& rule, Subject subject);
// "a status", "a duration", as messages say it.
std::string SubjectText(Subject subject);

// The values that templates may use without anybody defining them.
struct Builtin {
  std::string name;
  std::string doc;
};
const std::vector<Builtin>& Builtins();

// A suite's files, and the mappings in them.
const Object& SuiteObject();
const Object& IncludedObject();
const Object& RubricObject();
const Object& VerificationObject();
const Object& CheckObject();
const Object& HttpStepObject();

// Every object that can be reached from the suite and the rubric, each once,
// in the order of the reference page.
std::vector<const Object*> AllObjects();
// Those that can be reached from `root`, itself first.
std::vector<const Object*> ObjectsBelow(const Object& root);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_LANGUAGE_H_
