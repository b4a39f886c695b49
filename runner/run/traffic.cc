#include "runner/run/traffic.h"

#include <algorithm>
#include <utility>

#include "runner/wires/http_span.h"
#include "runner/wires/sql_text.h"
#include "runner/wires/statement_span.h"

namespace assay::run {

namespace {

bool ControlsTransaction(const std::string& operation) {
  for (const std::string_view name :
       {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT",
        "RELEASE", "SET", "DISCARD", "DEALLOCATE"}) {
    if (operation == name) return true;
  }
  return false;
}

// Longer statements are not kept to be explained.
constexpr std::size_t kSampleBytes = 16 << 10;

// Whether EXPLAIN can say how it is run.
bool HasPlan(const std::string& operation) {
  for (const std::string_view name :
       {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "TABLE"}) {
    if (operation == name) return true;
  }
  return false;
}

// As text, where all of them were seen so.
std::optional<std::vector<std::optional<std::string>>> ArgumentsOf(
    const wires::Statement& statement) {
  std::vector<std::optional<std::string>> args;
  if (statement.parameters.size() >= wires::Statement::kParameters) {
    return std::nullopt;
  }
  for (const auto& parameter : statement.parameters) {
    if (parameter.truncated) return std::nullopt;
    args.push_back(parameter.value);
  }
  return args;
}

}  // namespace

class Traffic::PostgresWire final : public wires::PostgresListener {
 public:
  PostgresWire(Traffic& traffic, std::string name)
      : traffic_(traffic), name_(std::move(name)) {}

  std::uint64_t Mark() override {
    return traffic_.chronicle_.correlation().Mark();
  }

  void OnPostgres(int connection, const std::string& database,
                  const wires::PostgresEvent& event) override {
    if (traffic_.stopped_) return;
    if (const auto* statement = std::get_if<wires::Statement>(&event)) {
      return OnStatement(connection, database, *statement);
    }
    std::string note;
    if (const auto* fell = std::get_if<wires::FellBack>(&event)) {
      note = "statements are not seen any more, because " + fell->reason;
    } else if (const auto* failed =
                   std::get_if<wires::ConnectionFailed>(&event)) {
      note = failed->error.message + " (SQLSTATE " + failed->error.code + ")";
    } else {
      return;
    }
    traffic_.chronicle_.Note(
        "wire." + name_,
        "connection " + std::to_string(connection) + ": " + note);
  }

  void OnPostgresClosed(int connection) override { open_.erase(connection); }

  bool InTransaction(std::uint64_t request) const {
    return std::ranges::any_of(
        open_, [&](const auto& entry) { return entry.second == request; });
  }

 private:
  void OnStatement(int connection, const std::string& database,
                   const wires::Statement& statement) {
    const auto place =
        traffic_.chronicle_.correlation().At(statement.begin.mark);
    if (statement.tag == "BEGIN" || statement.tag == "START TRANSACTION") {
      open_[connection] = place.request;
    } else if (statement.tag == "COMMIT" || statement.tag == "ROLLBACK") {
      open_.erase(connection);
    }
    if (traffic_.Skips()) return;
    const wires::SqlText sql = wires::ReadSql(statement.text);
    wires::RecordStatement(traffic_.chronicle_.tracer(), name_, database,
                           statement, sql, place);
    steps::Observations& seen = traffic_.seen_;
    if (seen.statements.size() >= steps::Observations::kMost) {
      ++seen.dropped;
      return;
    }
    const std::uint32_t sample = SampleOf(statement, sql, seen);
    seen.statements.push_back(
        {.request = place.request,
         .normalised = sql.normalised,
         .summary = sql.Summary(),
         .transaction_control = ControlsTransaction(sql.operation),
         .failed = !statement.error_code.empty(),
         .sample = sample});
  }

  // The sample that stands for this statement, kept now if it is the first.
  std::uint32_t SampleOf(const wires::Statement& statement,
                         const wires::SqlText& sql, steps::Observations& seen) {
    if (!HasPlan(sql.operation) || !statement.error_code.empty()) return 0;
    if (seen.samples.empty()) samples_.clear();
    const auto [it, fresh] = samples_.try_emplace(sql.normalised, 0);
    if (!fresh) return it->second;
    if (seen.samples.size() >= steps::Observations::kSamples ||
        statement.text.size() > kSampleBytes) {
      return 0;
    }
    seen.samples.push_back({.target = name_,
                            .text = statement.text,
                            .normalised = sql.normalised,
                            .args = ArgumentsOf(statement),
                            .parameters = statement.parameters.size()});
    return it->second = static_cast<std::uint32_t>(seen.samples.size());
  }

  Traffic& traffic_;
  const std::string name_;
  // Connections with an open transaction, and whose request began it.
  std::map<int, std::uint64_t> open_;
  // Of this check, by normalised text.
  std::map<std::string, std::uint32_t> samples_;
};

class Traffic::RedisWire final : public wires::RedisListener {
 public:
  RedisWire(Traffic& traffic, std::string name)
      : traffic_(traffic), name_(std::move(name)) {}

  std::uint64_t Mark() override {
    return traffic_.chronicle_.correlation().Mark();
  }

  void OnRedis(int connection, const wires::RedisEvent& event) override {
    if (traffic_.stopped_) return;
    Chronicle& chronicle = traffic_.chronicle_;
    if (const auto* command = std::get_if<wires::RedisCommand>(&event)) {
      if (traffic_.Skips()) return;
      wires::RecordCommand(chronicle.tracer(), name_, *command,
                           chronicle.correlation().At(command->begin.mark));
    } else if (const auto* fell = std::get_if<wires::RedisFellBack>(&event)) {
      chronicle.Note("wire." + name_,
                     "connection " + std::to_string(connection) +
                         ": commands are not seen any more, because " +
                         fell->reason);
    }
  }

 private:
  Traffic& traffic_;
  const std::string name_;
};

class Traffic::HttpWire final : public wires::HttpListener {
 public:
  HttpWire(Traffic& traffic, std::string name, bool enters)
      : traffic_(traffic), name_(std::move(name)), enters_(enters) {}

  std::uint64_t Mark() override {
    return traffic_.chronicle_.correlation().Mark();
  }

  void OnRequest(wires::HttpExchange& exchange) override {
    Chronicle& chronicle = traffic_.chronicle_;
    exchange.span = {chronicle.tracer().trace_id(), telemetry::RandomBytes(8)};
    if (traffic_.stopped_) return;
    const auto place = chronicle.correlation().At(exchange.begin.mark);
    if (!enters_) {
      exchange.in_transaction = traffic_.InTransaction(place.request);
      return;
    }
    exchange.number = chronicle.correlation().Enter(exchange.span);
    steps::Observations& seen = traffic_.seen_;
    if (seen.requests.size() < steps::Observations::kMost) {
      seen.requests.push_back(
          {.number = exchange.number,
           .title = exchange.method + " " + std::string(exchange.path()),
           .span_id = exchange.span.span_id});
    }
  }

  void OnExchange(const wires::HttpExchange& exchange) override {
    if (traffic_.stopped_) return;
    Chronicle& chronicle = traffic_.chronicle_;
    if (exchange.number != 0) chronicle.correlation().Leave(exchange.number);
    wires::RecordExchange(chronicle.tracer(), name_, exchange,
                          chronicle.correlation().At(exchange.begin.mark));
  }

  void OnHttpFellBack(int connection, const std::string& reason) override {
    if (traffic_.stopped_) return;
    traffic_.chronicle_.Note("wire." + name_,
                             "connection " + std::to_string(connection) +
                                 ": requests are not seen any more, because " +
                                 reason);
  }

 private:
  Traffic& traffic_;
  const std::string name_;
  const bool enters_;
};

Traffic::Traffic(Chronicle& chronicle, steps::Observations& seen)
    : chronicle_(chronicle), seen_(seen) {}

Traffic::~Traffic() = default;

wires::PostgresListener& Traffic::Postgres(const std::string& name) {
  return *postgres_.emplace_back(std::make_unique<PostgresWire>(*this, name));
}

wires::RedisListener& Traffic::Redis(const std::string& name) {
  return *redis_.emplace_back(std::make_unique<RedisWire>(*this, name));
}

wires::HttpListener& Traffic::Http(const std::string& name, bool enters) {
  return *http_.emplace_back(std::make_unique<HttpWire>(*this, name, enters));
}

bool Traffic::InTransaction(std::uint64_t request) const {
  return request != 0 && std::ranges::any_of(postgres_, [&](const auto& wire) {
           return wire->InTransaction(request);
         });
}

}  // namespace assay::run
