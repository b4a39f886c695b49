#include "runner/steps/scan_advice.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "runner/steps/trace_step.h"

namespace assay::steps {
namespace {

namespace asio = boost::asio;
using assay::plan::v1::TraceStep;
using nlohmann::json;

constexpr int kDepth = 100;
// Reasons are read by people.
constexpr std::size_t kNamed = 5;
constexpr std::size_t kShown = 160;
constexpr std::chrono::seconds kEach{3};

std::string TextOf(const json& node, const char* key) {
  const auto it = node.find(key);
  return it != node.end() && it->is_string() ? it->get<std::string>() : "";
}

void Collect(const json& node, int depth, std::vector<SequentialScan>& scans) {
  if (!node.is_object() || depth > kDepth) return;
  if (TextOf(node, "Node Type") == "Seq Scan") {
    SequentialScan scan{TextOf(node, "Schema"), TextOf(node, "Relation Name"),
                        TextOf(node, "Filter")};
    const bool known = std::ranges::any_of(scans, [&](const auto& other) {
      return other.schema == scan.schema && other.table == scan.table;
    });
    if (!known && !scan.table.empty()) scans.push_back(std::move(scan));
  }
  const auto below = node.find("Plans");
  if (below == node.end() || !below->is_array()) return;
  for (const json& plan : *below) Collect(plan, depth + 1, scans);
}

std::string Quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name)
    text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

// The samples of the statements that the step means, each once.
std::set<std::uint32_t> SamplesOf(const TraceStep& step,
                                  const Observations& seen) {
  std::set<std::uint64_t> requests;
  for (const auto& request : ChosenRequests(step, seen)) {
    requests.insert(request.number);
  }
  const bool all = step.per() == "check" || step.per() == "run";
  std::set<std::uint32_t> samples;
  for (const auto& statement : seen.statements) {
    if (statement.sample == 0 || statement.sample > seen.samples.size()) {
      continue;
    }
    if (all || requests.contains(statement.request)) {
      samples.insert(statement.sample);
    }
  }
  return samples;
}

// Asks the sidecar, and remembers what it said of tables.
class Explainer {
 public:
  Explainer(std::int64_t over, Surroundings& surroundings,
            Surroundings::Deadline deadline)
      : over_(over), surroundings_(surroundings), deadline_(deadline) {}

  asio::awaitable<std::vector<SequentialScan>> LargeScans(
      Observations::Sample sample) {
    std::vector<SequentialScan> large;
    const auto plan = co_await surroundings_.Explain(
        sample.target, sample.text, sample.args, sample.parameters, Limit());
    if (!plan || plan->error || plan->rows.empty() || plan->rows[0].empty() ||
        !plan->rows[0][0]) {
      ++unexplained_;
      co_return large;
    }
    for (SequentialScan& scan : FindScans(*plan->rows[0][0])) {
      if (co_await IsLarge(sample.target, scan)) {
        large.push_back(std::move(scan));
      }
    }
    co_return large;
  }
  int unexplained() const { return unexplained_; }

 private:
  Surroundings::Deadline Limit() const {
    return std::min(deadline_, std::chrono::steady_clock::now() + kEach);
  }

  // Counted, and not further than it matters: what the planner believes of a
  // table may be older than the table.
  asio::awaitable<bool> IsLarge(std::string target, SequentialScan scan) {
    const std::string table = Quoted(scan.schema) + "." + Quoted(scan.table);
    const auto known = large_.find(target + "/" + table);
    if (known != large_.end()) co_return known->second;
    const auto counted = co_await surroundings_.Sql(
        target,
        "select count(*) > " + std::to_string(over_) + " from (select from " +
            table + " limit " + std::to_string(over_ + 1) + ") as counted",
        {}, Limit());
    if (!counted || counted->error) ++unexplained_;
    const bool large = counted && !counted->error && !counted->rows.empty() &&
                       counted->rows[0][0] == "t";
    large_[target + "/" + table] = large;
    co_return large;
  }

  const std::int64_t over_;
  Surroundings& surroundings_;
  const Surroundings::Deadline deadline_;
  std::map<std::string, bool> large_;
  int unexplained_ = 0;
};

std::string Sentence(const std::string& normalised, const SequentialScan& scan,
                     std::int64_t over) {
  std::string text = normalised.substr(0, kShown) + " reads " + scan.schema +
                     "." + scan.table + ", which has more than " +
                     std::to_string(over) + " rows, from end to end";
  if (!scan.filter.empty()) {
    text += " to keep what is " + scan.filter.substr(0, kShown) +
            "; an index could find it";
  }
  return text;
}

}  // namespace

std::vector<SequentialScan> FindScans(std::string_view explained) {
  std::vector<SequentialScan> scans;
  const json plans = json::parse(explained, nullptr, false);
  if (!plans.is_array()) return scans;
  for (const json& plan : plans) {
    if (plan.is_object() && plan.contains("Plan")) {
      Collect(plan["Plan"], 0, scans);
    }
  }
  return scans;
}

asio::awaitable<Outcome> CheckSequentialScans(const TraceStep& step,
                                              Surroundings& surroundings,
                                              Surroundings::Deadline deadline) {
  // A copy: more may be observed while the database answers.
  const Observations& seen = surroundings.observations();
  const auto& wanted = step.sequential_scans();
  std::vector<Observations::Sample> samples;
  for (const std::uint32_t number : SamplesOf(step, seen)) {
    samples.push_back(seen.samples[number - 1]);
  }
  Explainer explainer(wanted.over(), surroundings, deadline);
  std::vector<std::string> sentences;
  for (const auto& sample : samples) {
    if (std::chrono::steady_clock::now() >= deadline) break;
    for (const auto& scan : co_await explainer.LargeScans(sample)) {
      sentences.push_back(Sentence(sample.normalised, scan, wanted.over()));
    }
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(kNamed, sentences.size()); ++i) {
    text += (i == 0 ? "" : "\n") + sentences[i];
  }
  if (sentences.size() > kNamed) {
    text += "\nand " + std::to_string(sentences.size() - kNamed) + " more";
  }
  if (text.empty() && explainer.unexplained() > 0) {
    text = std::to_string(explainer.unexplained()) +
           " statements could not be explained";
    Outcome outcome;
    outcome.advice = std::move(text);
    co_return outcome;
  }
  if (text.empty()) co_return Outcome{};
  if (wanted.enforced()) co_return Failed(std::move(text), wanted.position());
  Outcome outcome;
  outcome.advice = "advice: " + text;
  co_return outcome;
}

}  // namespace assay::steps
