#include "runner/assertions/evaluator.h"

#include "runner/assertions/matching.h"
#include "runner/assertions/xml_text.h"
#include "runner/suite/json_text.h"
#include "runner/suite/nearest.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"

namespace assay::assertions {
namespace {

using nlohmann::json;
using plan::v1::Expectation;
using plan::v1::Position;
using std::chrono::microseconds;

constexpr std::size_t kMaxSentence = 500;

Failure MakeFailure(std::string sentence, const Position& position,
                    std::string where = "", std::string diff = "") {
  // One line, whatever the candidate sent.
  for (char& c : sentence) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return {suite::Shorten(sentence, kMaxSentence), std::move(where),
          std::move(diff), position};
}

Failure FromMismatch(std::string_view what, const Mismatch& mismatch,
                     const Position& fallback) {
  std::string sentence = "expected " + std::string(what) + " " +
                         mismatch.expected + ", " + mismatch.actual;
  if (!mismatch.where.empty() && mismatch.where != what) {
    sentence += " at " + mismatch.where;
  }
  return MakeFailure(
      std::move(sentence),
      mismatch.position.line() > 0 ? mismatch.position : fallback,
      mismatch.where, mismatch.diff);
}

const std::string* HeaderOf(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [known, value] : answer.headers) {
    if (known == name) return &value;
  }
  return nullptr;
}

// Several headers of one name are one list (RFC 9110), but for cookies.
std::optional<std::string> HeaderText(const HttpAnswer& answer,
                                      std::string_view name) {
  std::optional<std::string> text;
  for (const auto& [known, value] : answer.headers) {
    if (known != name) continue;
    text = text ? *text + (name == "set-cookie" ? "\n" : ", ") + value : value;
  }
  return text;
}

// What there is instead of the node that a singular query looks for.
std::string Instead(const std::string& query, const json& document) {
  // Cut segments off the end until something is found.
  for (std::size_t end = query.size(); end > 0; --end) {
    if (query[end - 1] != '.' && query[end - 1] != '[') continue;
    const std::string parent = query.substr(0, end - 1);
    const auto path = suite::JsonPath::Parse(parent);
    if (!path || !path->singular()) continue;
    const auto nodes = path->Select(document);
    if (!nodes || nodes->empty()) continue;
    const json& value = *nodes->front().value;
    if (value.is_object()) {
      std::vector<std::string> names;
      for (const auto& [name, unused] : value.items()) {
        if (names.size() == 10) break;
        names.push_back(suite::Shorten(name, 40));
      }
      return "but " + parent + " has only " + suite::JoinNames(names);
    }
    return "but " + parent + " is " + suite::JsonText(value, 80);
  }
  return "but there is none";
}

json InColumns(const json& rows, const std::vector<std::string>& columns) {
  json lists = json::array();
  for (const json& row : rows) {
    if (!row.is_object()) {
      lists.push_back(row);
      continue;
    }
    json list = json::array();
    for (const std::string& column : columns) {
      list.push_back(row.value(column, json()));
    }
    lists.push_back(std::move(list));
  }
  return lists;
}

json ByColumn(const json& rows, const std::vector<std::string>& columns) {
  json objects = json::array();
  for (const json& row : rows) {
    if (row.is_object()) {
      objects.push_back(row);
      continue;
    }
    json object = json::object();
    for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
      object[columns[i]] = row[i];
    }
    objects.push_back(std::move(object));
  }
  return objects;
}

std::string BodyStart(const HttpAnswer& answer) {
  if (answer.body.empty()) return "an empty body";
  const std::string* type = HeaderOf(answer, "content-type");
  return (type == nullptr ? "a body" : suite::Shorten(*type, 60)) + " that " +
         "starts with " + suite::JsonText(json(answer.body), 80);
}

}  // namespace

Evaluator::Evaluator(const suite::Scope& scope, Schemas& schemas)
    : scope_(scope), schemas_(schemas) {}

std::vector<Failure> Evaluator::Http(const plan::v1::HttpExpect& expect,
                                     const HttpAnswer& answer) {
  std::vector<Failure> failures;
  const auto add = [&](std::optional<Failure> failure) {
    if (failure) failures.push_back(*std::move(failure));
  };
  if (expect.has_status()) add(Status(expect.status(), answer.status));
  for (const plan::v1::Named& header : expect.headers()) {
    const auto text = HeaderText(answer, header.name());
    add(Text(header.expectation(), "header " + header.name(),
             text ? &*text : nullptr));
  }
  if (expect.has_within()) {
    const microseconds limit = std::chrono::seconds(expect.within().seconds()) +
                               microseconds(expect.within().nanos() / 1000);
    add(Within(limit, expect.within_position(), answer.duration));
  }
  if (expect.has_body()) add(Text(expect.body(), "the body", &answer.body));
  Json(expect, answer, failures);
  for (const plan::v1::Query& query : expect.xml()) {
    const auto text = XmlText(answer.body, query.path());
    if (!text) {
      add(MakeFailure("expected an XML body, got " + BodyStart(answer) + ": " +
                          text.error().message,
                      query.position()));
      break;
    }
    add(Text(query.expectation(), query.path(),
             text->has_value() ? &**text : nullptr));
  }
  return failures;
}

void Evaluator::Json(const plan::v1::HttpExpect& expect,
                     const HttpAnswer& answer, std::vector<Failure>& failures) {
  if (expect.json_size() == 0 && expect.schema().empty()) return;
  const Position& position = expect.json_size() > 0 ? expect.json(0).position()
                                                    : expect.schema_position();
  if (answer.body_truncated) {
    failures.push_back(MakeFailure(
        "the body is longer than the " + std::to_string(answer.body.size()) +
            " bytes that are kept, so that its JSON cannot be judged",
        position));
    return;
  }
  const auto document = suite::ParseJson(answer.body);
  if (!document) {
    failures.push_back(MakeFailure("expected a JSON body, got " +
                                       BodyStart(answer) + " (" +
                                       document.error().message + ")",
                                   position));
    return;
  }
  if (!expect.schema().empty()) {
    if (auto failure = Schema(expect, *document)) {
      failures.push_back(*std::move(failure));
    }
  }
  for (const plan::v1::Query& query : expect.json()) {
    if (auto failure = Query(query, *document)) {
      failures.push_back(*std::move(failure));
    }
  }
}

std::optional<Failure> Evaluator::Schema(const plan::v1::HttpExpect& expect,
                                         const json& document) {
  const auto schema = schemas_.Get(expect.schema());
  if (!schema) {
    return MakeFailure(schema.error().message, expect.schema_position());
  }
  const auto violations = schema->Validate(document);
  if (violations.empty()) return std::nullopt;
  const suite::SchemaViolation& first = violations.front();
  std::string sentence =
      "expected the body to fit " + expect.schema() + ", but " +
      (first.pointer.empty() ? "it" : first.pointer) + " " + first.message;
  if (violations.size() > 1) {
    sentence += " (and " + std::to_string(violations.size() - 1) + " more)";
  }
  return MakeFailure(std::move(sentence), expect.schema_position(),
                     first.pointer);
}

std::vector<Failure> Evaluator::Rows(const plan::v1::SqlStep& step,
                                     const std::vector<std::string>& columns,
                                     const json& given) const {
  std::vector<Failure> failures;
  const json rows = InColumns(given, columns);
  if (!step.rows_json().empty()) {
    const auto expected = suite::ExpandJsonText(step.rows_json(), scope_);
    if (!expected) {
      failures.push_back(
          MakeFailure(expected.error().message, step.expect_position()));
    } else if (*expected != rows) {
      failures.push_back(
          MakeFailure("expected rows " + suite::JsonText(*expected, 160) +
                          ", got " + suite::JsonText(rows, 160),
                      step.expect_position(), "", Diff(*expected, rows)));
    }
  }
  if (step.has_count()) {
    if (auto failure = Number(step.count(), "the number of rows",
                              static_cast<double>(rows.size()))) {
      failures.push_back(*std::move(failure));
    }
  }
  if (step.json_size() == 0) return failures;
  const json objects = ByColumn(given, columns);
  for (const plan::v1::Query& query : step.json()) {
    if (auto failure = Query(query, objects)) {
      failures.push_back(*std::move(failure));
    }
  }
  return failures;
}

std::optional<Failure> Evaluator::Status(const Expectation& expectation,
                                         int status) const {
  const json value = status;
  const auto mismatch =
      Matching{scope_, true}.Value(expectation.matchers(), &value, "");
  if (!mismatch) return std::nullopt;
  // "expected status 201" reads better than "status to equal 201".
  constexpr std::string_view kEqual = "to equal ";
  if (mismatch->expected.starts_with(kEqual)) {
    return MakeFailure("expected status " +
                           mismatch->expected.substr(kEqual.size()) + ", " +
                           mismatch->actual,
                       mismatch->position);
  }
  return FromMismatch("status", *mismatch, expectation.position());
}

std::optional<Failure> Evaluator::Text(const Expectation& expectation,
                                       std::string_view what,
                                       const std::string* text) const {
  if (text == nullptr) return Value(expectation, what, nullptr);
  const json value = *text;
  return Value(expectation, what, &value);
}

std::optional<Failure> Evaluator::Value(const Expectation& expectation,
                                        std::string_view what,
                                        const json* value) const {
  const auto mismatch =
      Matching{scope_}.Value(expectation.matchers(), value, std::string(what));
  if (!mismatch) return std::nullopt;
  return FromMismatch(what, *mismatch, expectation.position());
}

std::optional<Failure> Evaluator::Number(const Expectation& expectation,
                                         std::string_view what,
                                         double number) const {
  const json value =
      number == static_cast<double>(static_cast<std::int64_t>(number))
          ? json(static_cast<std::int64_t>(number))
          : json(number);
  return Value(expectation, what, &value);
}

std::optional<Failure> Evaluator::Duration(const Expectation& expectation,
                                           std::string_view what,
                                           microseconds duration) const {
  const json value = static_cast<double>(duration.count()) / 1000;
  const auto mismatch =
      Matching{scope_}.Value(expectation.matchers(), &value, "");
  if (!mismatch) return std::nullopt;
  // Operands are milliseconds by the time they get here.
  return MakeFailure("expected " + std::string(what) + " " +
                         mismatch->expected + "ms, got " +
                         suite::DurationText(duration),
                     mismatch->position);
}

std::optional<Failure> Evaluator::Query(const plan::v1::Query& query,
                                        const json& document) const {
  const auto path = suite::JsonPath::Parse(query.path());
  if (!path) return MakeFailure(path.error().message, query.position());
  const auto nodes = path->Select(document);
  if (!nodes) return MakeFailure(nodes.error().message, query.position());
  const auto& matchers = query.expectation().matchers();
  const Matching matching{scope_};
  if (!query.singular()) {
    const auto mismatch = matching.Nodes(matchers, *nodes);
    if (!mismatch) return std::nullopt;
    return FromMismatch(query.path(), *mismatch,
                        query.expectation().position());
  }
  const bool found = !nodes->empty();
  auto mismatch =
      matching.Value(matchers, found ? nodes->front().value : nullptr,
                     found ? nodes->front().path : "");
  if (!mismatch) return std::nullopt;
  if (!found) mismatch->actual = Instead(query.path(), document);
  // The suite's own way of writing the place is the one that its author knows.
  const std::string where = mismatch->where;
  if (found && where == nodes->front().path) mismatch->where.clear();
  Failure failure =
      FromMismatch(query.path(), *mismatch, query.expectation().position());
  failure.where = where;
  return failure;
}

std::optional<Failure> Evaluator::Within(microseconds limit,
                                         const Position& position,
                                         microseconds duration) const {
  if (duration <= limit) return std::nullopt;
  return MakeFailure("expected an answer within " + suite::DurationText(limit) +
                         ", it took " + suite::DurationText(duration),
                     position);
}

bool StatusHolds(const Expectation& expectation, int status) {
  const suite::Scope none;
  const json value = status;
  return !Matching{none, true}.Value(expectation.matchers(), &value, "");
}

}  // namespace assay::assertions
