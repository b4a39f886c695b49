#ifndef ASSAY_RUNNER_SUITE_BUILDER_H_
#define ASSAY_RUNNER_SUITE_BUILDER_H_

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/suite/compiler.h"
#include "runner/suite/names.h"
#include "runner/suite/report.h"
#include "runner/suite/validator.h"
#include "runner/suite/yaml_tree.h"

namespace assay::suite {

// Builds a plan from a tree that was held against the table. Reports what
// takes more than one place to see: unknown flows, sidecars and checks, ports
// that clash, sums that do not add up. Values that the validator refused are
// left out, so that one mistake is reported once.
//
// The parts are in build_suite.cc, build_check.cc, build_http.cc,
// build_steps.cc, build_restart.cc, build_stream.cc, build_load.cc,
// build_programs.cc and build_expectation.cc.
//
// Ownership: borrows everything it is given.
class Builder {
 public:
  Builder(const Files& files, const Validator& validator, Report& report,
          plan::v1::Plan& plan);

  // The root's own keys: everything above the checks.
  void Suite(const Node& root);
  // What root and included files share; `hidden` where the file says.
  enum class Visibility { kUnsaid, kPublic, kHidden };
  void SharedParts(const Node& file, Visibility visibility);
  // After all files.
  void Finish();

 private:
  using Duration = google::protobuf::Duration;

  // Values of a mapping; null or empty where absent or refused.
  const Node* Get(const Node& map, std::string_view key) const;
  std::string Text(const Node& map, std::string_view key) const;
  // A text whose templates are noted.
  std::string Template(const Node& map, std::string_view key);
  bool Bool(const Node& map, std::string_view key, bool fallback) const;
  std::int64_t Integer(const Node& map, std::string_view key,
                       std::int64_t fallback) const;
  double Number(const Node& map, std::string_view key, double fallback) const;
  std::int64_t Size(const Node& map, std::string_view key,
                    std::int64_t fallback) const;
  std::chrono::microseconds Time(const Node& map, std::string_view key,
                                 std::chrono::microseconds fallback) const;
  // A scalar or a list of scalars.
  std::vector<const Node*> Several(const Node& map, std::string_view key) const;
  // Good entries of a mapping, or of none.
  std::vector<const Node::Entry*> Entries(const Node& map,
                                          std::string_view key) const;
  // Entries whose value was refused: they still define their name, so that its
  // uses are not reported as well.
  std::vector<const Node::Entry*> Refused(const Node& map,
                                          std::string_view key) const;

  plan::v1::Position At(const Place& place) const;
  void NoteTemplates(std::string_view text, const Place& at);
  void NoteTemplates(const Node& node);
  // JSON text, templates noted.
  std::string Json(const Node& node);

  // build_suite.cc
  void Limits(const Node& root);
  void Environment(const Node& root);
  void Services(const Node& root);
  void Service(const Node& node, const Node* shared, std::string name,
               const Place& at);
  void Ready(const Node& service, plan::v1::Service& out);
  plan::v1::Command Command(const Node& node, const Node* service_env,
                            const Node* shared_env);
  void Env(const Node* env, plan::v1::Command& out);
  void Sidecars(const Node& root);
  void Upstreams(const Node& root);
  // Replies by route, as the run's stubs read them; and one of them.
  std::string Routes(const Node& routes);
  nlohmann::json ReplyOf(const Node& node);
  void Secrets(const Node& file);
  void Vars(const Node& file);
  void TakePort(int port, const std::string& owner, const Place& at);
  void TakeName(const std::string& name, const std::string& kind,
                const Place& at);
  void AddFile(const std::string& path);
  void AddFolder(const std::string& path);
  void AddSchema(const std::string& path, const Place& at);

  // build_check.cc
  void Check(const Node& node, Visibility visibility);
  void CheckPoints(const Node& node, plan::v1::Check& out);
  void CheckReveal(const Node& node, Visibility visibility,
                   plan::v1::Check& out);
  void Cases(const Node& node, plan::v1::Check& out, CheckNames& names);
  void Needs(const Node& node, plan::v1::Check& out);
  void NumberCommands();

  // Steps. Each notes the names that it uses in `names_`.
  using Steps = google::protobuf::RepeatedPtrField<plan::v1::Step>;
  void CalibratedLoads(const Steps& steps, bool in_check);
  std::vector<StepNames> StepsOf(const Node& list, Steps& out);
  StepNames StepOf(const Node& node, plan::v1::Step& out);
  void StepVerb(const Node& node, const Node::Entry& verb, plan::v1::Step& out);
  void StepTimeout(const Node& node, plan::v1::Step& out);
  std::chrono::microseconds Demand(const plan::v1::Step& step) const;
  void Eventually(const Node& node, plan::v1::Step& out);

  // build_http.cc
  void Http(const Node& node, const Node::Entry& verb, plan::v1::HttpStep& out);
  void Graphql(const Node& node, plan::v1::HttpStep& out);
  // The keys `service` and `port`.
  void Target(const Node& node, std::string& name, std::string& port_name);
  void HttpTarget(const Node& node, plan::v1::HttpStep& out);
  void HttpBody(const Node& node, plan::v1::HttpStep& out);
  void HttpAuth(const Node& node, plan::v1::HttpStep& out);
  void HttpExpect(const Node& node, plan::v1::HttpExpect& out);
  using Headers = google::protobuf::RepeatedPtrField<plan::v1::Header>;
  void HeadersOf(const Node& map, std::string_view key, bool lower,
                 Headers& out);
  using Captures = google::protobuf::RepeatedPtrField<plan::v1::Capture>;
  void CapturesOf(const Node& step, bool http, Captures& out);

  // build_steps.cc
  void Sql(const Node& node, plan::v1::SqlStep& out);
  void SqlArguments(const Node& node, plan::v1::SqlStep& out);
  void Redis(const Node& node, plan::v1::RedisStep& out);
  void Use(const Node& node, plan::v1::UseStep& out);
  void Burst(const Node& node, plan::v1::BurstStep& out);
  void BurstStatuses(const Node& expect, plan::v1::BurstStep& out);
  void Trace(const Node& node, plan::v1::TraceStep& out);
  void Metrics(const Node& node, plan::v1::MetricsStep& out);
  void Logs(const Node& node, plan::v1::LogsStep& out);
  void Fault(const Node& node, plan::v1::FaultStep& out);
  std::string SidecarTarget(const Node& node, plan::v1::Sidecar::Kind kind);
  void FaultReply(const std::string& target, const Node& error);
  void FaultTarget(const std::string& name, const Place& at);

  // build_programs.cc
  void CommandOf(const Node& node, plan::v1::CommandStep& out);
  void Mutants(const Node& node, plan::v1::MutantsStep& out);
  void Import(const Node& node, std::string& format, std::string& path,
              std::int32_t& min_cases);

  // build_restart.cc
  void Restart(const Node& node, const Node& target,
               plan::v1::RestartStep& out);
  void Traffic(const Node& node, plan::v1::RestartStep::Traffic& out);
  void History(const Node& node, plan::v1::RestartStep::History& out);
  // An HTTP request inside another step.
  void InnerRequest(const Node& node, plan::v1::HttpStep& out);

  // build_stream.cc
  void Stream(const Node& node, const Node::Entry& verb,
              plan::v1::StreamStep& out);
  void Exchange(const Node& node, plan::v1::StreamStep& step);
  void Grpc(const Node& node, plan::v1::GrpcStep& out);

  // build_load.cc
  void Load(const Node& node, plan::v1::LoadStep& out);
  void LoadCalibration(const Node& node, plan::v1::LoadStep::Calibration& out);
  void LoadPartial(const Node& load, plan::v1::LoadStep& out);
  using NamedList = google::protobuf::RepeatedPtrField<plan::v1::Named>;
  void NamedOf(const Node& map, NamedList& out);

  // build_expectation.cc
  plan::v1::Expectation Expect(const Node& node, Subject subject);
  plan::v1::Matcher MatcherOf(const Node::Entry& entry, Subject subject);
  std::string Operand(const Node& node, Subject subject);
  using QueryList = google::protobuf::RepeatedPtrField<plan::v1::Query>;
  void QueriesOf(const Node& map, std::string_view key, QueryList& out);

  const Files& files_;
  const Validator& validator_;
  Report& report_;
  plan::v1::Plan& plan_;

  SuiteNames suite_names_;
  // Of the step, or of what stands above the steps.
  StepNames* names_ = nullptr;
  std::map<int, std::string> ports_;
  std::map<std::string, std::string> taken_names_;
  std::map<std::string, int> check_lines_;
  // Needs of later checks are looked up at the end.
  std::vector<std::pair<std::string, NameUse>> needs_;
};

// A protobuf Duration from microseconds.
google::protobuf::Duration ToProto(std::chrono::microseconds duration);
std::chrono::microseconds FromProto(const google::protobuf::Duration& duration);

// Braces of a text that holds no templates, so that it survives expansion.
std::string EscapeBraces(std::string_view text);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_BUILDER_H_
