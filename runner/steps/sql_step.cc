#include "runner/steps/sql_step.h"

#include <charconv>
#include <utility>

#include "runner/steps/http_step.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::SqlStep;
using nlohmann::json;

namespace {

// pg_type.oid of what has a form of its own in JSON.
enum Oid : std::int32_t {
  kBool = 16,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700,
  kJsonb = 3802,
};

json ValueAsJson(std::int32_t type, const std::string& text) {
  switch (type) {
    case kBool:
      return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid: {
      std::int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    }
    case kFloat4:
    case kFloat8:
    case kNumeric:
    case kJson:
    case kJsonb: {
      // NaN and Infinity are no JSON, and stay texts.
      json value = json::parse(text, nullptr, false);
      return value.is_discarded() ? json(text) : value;
    }
    default:
      return text;
  }
}

Expected<std::vector<std::optional<std::string>>> Arguments(
    const SqlStep& step, const suite::Scope& scope) {
  std::vector<std::optional<std::string>> args;
  for (const std::string& text : step.args()) {
    ASSAY_ASSIGN_OR_RETURN(const json value,
                           suite::ExpandJsonText(text, scope));
    if (value.is_null()) {
      args.emplace_back();
    } else {
      args.emplace_back(value.is_string() ? value.get<std::string>()
                                          : value.dump());
    }
  }
  return args;
}

// What captures look into: an array of objects.
json ByColumn(const std::vector<std::string>& columns, const json& rows) {
  json objects = json::array();
  for (const json& row : rows) {
    json object = json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[columns[i]] = row[i];
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace

json RowsAsJson(const wires::SqlResult& result) {
  json rows = json::array();
  for (const auto& row : result.rows) {
    json values = json::array();
    for (std::size_t i = 0; i < row.size() && i < result.columns.size(); ++i) {
      values.push_back(row[i] ? ValueAsJson(result.columns[i].type, *row[i])
                              : json(nullptr));
    }
    rows.push_back(std::move(values));
  }
  return rows;
}

asio::awaitable<Outcome> RunSqlStep(const SqlStep& step, Frame& frame,
                                    Surroundings& surroundings,
                                    assertions::Schemas& schemas,
                                    telemetry::Redactor& redactor,
                                    std::chrono::milliseconds limit) {
  auto statement = suite::ExpandText(step.statement(), frame.scope);
  if (!statement) co_return Failed(statement.error().message);
  auto args = Arguments(step, frame.scope);
  if (!args) co_return Failed(args.error().message);
  auto result = co_await surroundings.Sql(
      step.target(), *std::move(statement), *std::move(args),
      std::chrono::steady_clock::now() + limit);
  if (!result) {
    if (result.error().code == Code::kDeadlineExceeded) {
      co_return TimedOut("the statement was not answered within " +
                         std::to_string(limit.count()) + " ms");
    }
    if (result.error().code == Code::kResourceExhausted) {
      co_return Failed(result.error().message);
    }
    co_return Errored(result.error().message);
  }
  if (result->error) {
    co_return Failed(
        "the database refused the statement: " + result->error->message +
        " (SQLSTATE " + result->error->code + ")");
  }
  std::vector<std::string> columns;
  for (const auto& column : result->columns) columns.push_back(column.name);
  const json rows = RowsAsJson(*result);
  assertions::Evaluator evaluator(frame.scope, schemas);
  Outcome outcome = FromFailures(evaluator.Rows(step, columns, rows));
  if (!outcome.passed()) co_return outcome;
  for (const auto& capture : step.captures()) {
    auto taken = assertions::TakeCapture(capture, ByColumn(columns, rows));
    if (!taken) co_return Failed(taken.error().sentence, capture.position());
    if (capture.secret()) {
      redactor.Add(capture.name(), taken->is_string()
                                       ? taken->get<std::string>()
                                       : taken->dump());
    }
    frame.scope.Set(capture.name(), *std::move(taken));
  }
  co_return Outcome{};
}

}  // namespace assay::steps
