#include <algorithm>

#include "runner/suite/editor_schema.h"
#include "runner/suite/language.h"
#include "runner/suite/nearest.h"
#include "runner/suite/validator.h"

namespace assay::suite {
namespace {

std::string Heading(const Object& object) {
  std::string title = object.title;
  for (const std::string_view article : {"a ", "an "}) {
    if (title.starts_with(article)) title = title.substr(article.size());
  }
  title[0] =
      static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

// As Markdown renderers make anchors of headings.
std::string Anchor(std::string heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return anchor;
}

std::string Link(const std::string& text, const std::string& heading) {
  return "[" + text + "](#" + Anchor(heading) + ")";
}

std::string ValueText(const std::vector<Shape>& shapes);

std::string ValueText(const Shape& shape) {
  switch (shape.type) {
    case Type::kObject:
      return Link(shape.object().title, Heading(shape.object()));
    case Type::kExpectation:
      return SubjectText(shape.subject) + " or " + Link("matchers", "Matchers");
    case Type::kQueries:
      return "JSONPath → value or " + Link("matchers", "Matchers");
    case Type::kList:
      return "list of " + ValueText(shape.element);
    case Type::kMap:
      return "name → " + ValueText(shape.element);
    case Type::kStep:
      return Link("a step", "Steps");
    case Type::kHttpStep:
      return Link("an HTTP step", "HTTP step");
    case Type::kChoice: {
      std::vector<std::string> quoted;
      for (const std::string& choice : shape.choices) {
        quoted.push_back("`" + choice + "`");
      }
      return JoinNames(quoted, "or");
    }
    case Type::kTemplate:
    case Type::kPath:
    case Type::kJson:
      return ShapeText(shape) + " " + Link("⟨t⟩", "Templates");
    case Type::kDuration:
      return "a duration";
    case Type::kName:
      return "a name";
    case Type::kId:
      return "an id";
    case Type::kSize:
      return "a size";
    default:
      return ShapeText(shape);
  }
}

std::string ValueText(const std::vector<Shape>& shapes) {
  std::vector<std::string> texts;
  for (const Shape& shape : shapes) texts.push_back(ValueText(shape));
  return JoinNames(texts, "or");
}

std::string Cell(std::string text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string ObjectSection(const Object& object, const std::string& level) {
  std::string text =
      level + " " + Heading(object) + "\n\n" + object.doc + "\n\n";
  if (!object.example.empty()) {
    text += "```yaml\n" + object.example + "\n```\n\n";
  }
  text += "| key | value | meaning |\n| --- | --- | --- |\n";
  for (const Key& key : object.keys) {
    std::string doc = key.doc;
    if (!key.fallback.empty()) doc += " Default: `" + key.fallback + "`.";
    text += "| `" + key.name + "`" + (key.required ? " **required**" : "") +
            " | " + Cell(ValueText(key.shapes)) + " | " + Cell(doc) + " |\n";
  }
  for (const Group& group : object.groups) {
    std::vector<std::string> quoted;
    for (const std::string& key : group.keys) quoted.push_back("`" + key + "`");
    text += "\n" + std::string(group.required ? "Exactly" : "At most") +
            " one of " + JoinNames(quoted, "and") + ".\n";
  }
  return text + "\n";
}

std::string MatcherSection() {
  std::string text =
      "## Matchers\n\n"
      "A scalar means *equals*. A mapping holds matchers, all of which must "
      "hold. A query that can yield several nodes takes only those for nodes; "
      "that is checked when the suite is compiled. Operands carry units where "
      "the subject has one (`80ms`, `0.1%`).\n\n"
      "| matcher | applies to | meaning |\n| --- | --- | --- |\n";
  for (const MatcherRule& rule : Matchers()) {
    std::vector<std::string> subjects;
    for (const Subject subject : rule.subjects) {
      subjects.push_back(subject == Subject::kNodes ? "nodes"
                                                    : SubjectText(subject));
    }
    text += "| `" + rule.name + "` | " + JoinNames(subjects, "and") + " | " +
            rule.doc + " |\n";
  }
  return text + "\n";
}

std::string TemplateSection() {
  std::string text =
      "## Templates\n\n"
      "Values marked ⟨t⟩ may hold `{{name}}`. A value that is nothing but one "
      "template takes the type of what it names: `json: \"{{case.body}}\"` may "
      "be an object. Quote templates, since `{` opens a mapping in YAML. "
      "`{{\"{{\"}}` stands for two braces. Every name is checked when the "
      "suite is compiled: it has to be one of these, a variable, or a value "
      "that an earlier step captured.\n\n"
      "| name | meaning |\n| --- | --- |\n";
  for (const Builtin& builtin : Builtins()) {
    text += "| `{{" + builtin.name + "}}` | " + builtin.doc + " |\n";
  }
  return text + "\n";
}

bool IsStep(const Object& object) {
  return std::any_of(Verbs().begin(), Verbs().end(), [&](const Verb& verb) {
    return &verb.object() == &object;
  });
}

}  // namespace

std::string ReferencePage() {
  std::string text =
      "# Suite reference\n\n"
      "<!-- Generated from runner/suite/language*.cc by `assay suite "
      "reference`; do not edit. -->\n\n"
      "A suite is a YAML file `assay.yaml` with the files that it names beside "
      "it. Unknown keys are errors. Quantities need their unit: durations "
      "`us ms s m h d` (`1m30s`), sizes `B KiB MiB GiB kB MB GB`, rates `/s /m "
      "/h`, shares `%`. Avoid `on off yes no y n` as keys, or quote them: "
      "other "
      "YAML readers turn them into booleans.\n\n"
      "For completion in an editor, write `assay suite schema > "
      "assay.schema.json` and put `# yaml-language-server: "
      "$schema=./assay.schema.json` into the first line.\n\n";
  std::string steps =
      "## Steps\n\nA step has exactly one verb; the verb decides which keys go "
      "with it.\n\n";
  for (const Object* object : AllObjects()) {
    if (IsStep(*object)) {
      steps += ObjectSection(*object, "###");
    } else {
      text += ObjectSection(*object, "##");
    }
  }
  return text + steps + MatcherSection() + TemplateSection();
}

}  // namespace assay::suite
