// What single steps do, in sentences.

#include "runner/suite/explain_step.h"

#include <cstdio>

#include "runner/suite/builder.h"
#include "runner/suite/explain.h"
#include "runner/suite/nearest.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

using google::protobuf::RepeatedPtrField;
using plan::v1::Query;
using plan::v1::Step;

std::string Time(const google::protobuf::Duration& duration) {
  return DurationText(FromProto(duration));
}

std::string Number(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

class Sentences {
 public:
  std::vector<std::string> Of(const Step& step) {
    Verb(step);
    if (step.has_eventually()) Eventually(step.eventually());
    return std::move(said_);
  }

 private:
  void Say(std::string sentence) { said_.push_back(std::move(sentence)); }
  void Expects(const plan::v1::Expectation& expectation,
               std::string_view what) {
    Say("expects: " + ExpectationText(expectation, what));
  }
  void Expects(const RepeatedPtrField<Query>& queries) {
    for (const Query& query : queries) {
      Expects(query.expectation(), query.path());
    }
  }
  void Remembers(const RepeatedPtrField<plan::v1::Capture>& captures) {
    for (const plan::v1::Capture& capture : captures) {
      Say("remembers " + capture.name() +
          (capture.secret() ? ", a secret" : ""));
    }
  }

  void Verb(const Step& step) {
    switch (step.verb_case()) {
      case Step::kHttp:
        return Http(step.http());
      case Step::kSql:
        return Sql(step.sql());
      case Step::kRedis:
        if (step.redis().has_expect()) {
          Expects(step.redis().expect(), "the reply");
        }
        return Remembers(step.redis().captures());
      case Step::kStream:
        return Stream(step.stream());
      case Step::kGrpc:
        return Grpc(step.grpc());
      case Step::kBurst:
        return Burst(step.burst());
      case Step::kLoad:
        return Load(step.load());
      case Step::kTrace:
        return Trace(step.trace());
      case Step::kLogs:
        return Logs(step.logs());
      case Step::kMetrics:
        return Metrics(step.metrics());
      case Step::kFault:
        return Fault(step.fault());
      case Step::kRestart:
        if (step.restart().has_traffic()) Crash(step.restart());
        return;
      case Step::kCommand:
        return Command(step.command());
      case Step::kMutants:
        return Mutants(step.mutants());
      case Step::kUnsupported:
        return Say("not executed by this build");
      default:
        return;
    }
  }

  void Eventually(const plan::v1::Eventually& eventually) {
    Say("repeated for " + Time(eventually.within()) + ", every " +
        Time(eventually.every()));
    if (eventually.has_stop_on_status()) {
      Say("given up at once when " +
          ExpectationText(eventually.stop_on_status(), "the status"));
    }
  }

  void Http(const plan::v1::HttpStep& http) {
    if (http.version() == plan::v1::HttpStep::VERSION_2) Say("over HTTP/2");
    Who(http);
    Body(http);
    if (http.cookies()) Say("keeps cookies");
    if (http.redirects() > 0) {
      Say("follows redirects of the service, " +
          std::to_string(http.redirects()) + " at most");
    }
    if (http.has_expect()) Expect(http.expect());
    Remembers(http.captures());
  }

  void Who(const plan::v1::HttpStep& http) {
    if (!http.bearer().empty()) Say("with the bearer token " + http.bearer());
    if (http.has_basic()) Say("as " + http.basic().user() + " (basic)");
    if (http.has_digest()) Say("as " + http.digest().user() + " (digest)");
    for (const plan::v1::Header& header : http.headers()) {
      Say("with " + header.name() + ": " + Shorten(header.value(), 100));
    }
  }

  void Body(const plan::v1::HttpStep& http) {
    const auto fields = [](const plan::v1::Form& form) {
      std::vector<std::string> names;
      for (const plan::v1::Header& field : form.fields()) {
        names.push_back(field.name());
      }
      return JoinNames(names);
    };
    switch (http.body_case()) {
      case plan::v1::HttpStep::kJson:
        return Say("sends " + Shorten(http.json(), 160));
      case plan::v1::HttpStep::kText:
        return Say("sends " + Shorten(http.text(), 160));
      case plan::v1::HttpStep::kFile:
        return Say("sends the file " + http.file());
      case plan::v1::HttpStep::kForm:
        return Say("sends a form with " + fields(http.form()));
      case plan::v1::HttpStep::kMultipart:
        return Say("sends parts: " + fields(http.multipart()));
      default:
        return;
    }
  }

  void Expect(const plan::v1::HttpExpect& expect) {
    if (expect.has_status()) Expects(expect.status(), "status");
    for (const plan::v1::Named& header : expect.headers()) {
      Expects(header.expectation(), "header " + header.name());
    }
    Expects(expect.json());
    if (!expect.schema().empty()) Say("expects: fits " + expect.schema());
    if (expect.has_body()) Expects(expect.body(), "the body");
    Expects(expect.xml());
    if (expect.has_within()) {
      Say("expects: answered within " + Time(expect.within()));
    }
  }

  void Sql(const plan::v1::SqlStep& sql) {
    Say(Shorten(sql.statement(), 200));
    if (!sql.rows_json().empty()) {
      Say("expects: rows " + Shorten(sql.rows_json(), 160));
    }
    if (sql.has_count()) Expects(sql.count(), "the number of rows");
    Expects(sql.json());
    Remembers(sql.captures());
  }

  void Stream(const plan::v1::StreamStep& stream) {
    using Exchange = plan::v1::StreamStep::Exchange;
    Who(stream.open());
    for (const Exchange& exchange : stream.exchanges()) {
      switch (exchange.act_case()) {
        case Exchange::kText:
          Say("sends " + Shorten(exchange.text(), 160));
          break;
        case Exchange::kJson:
          Say("sends " + Shorten(exchange.json(), 160));
          break;
        case Exchange::kRequest:
          Say("meanwhile " + exchange.request().title());
          for (std::string& said : Sentences().Of(exchange.request())) {
            Say(std::move(said));
          }
          break;
        case Exchange::kExpect:
          Say(exchange.event().empty() ? "waits for a message"
                                       : "waits for a " + exchange.event());
          Expect(exchange.expect());
          break;
        case Exchange::kClose:
          Say("expects: closed with " + std::to_string(exchange.close()));
          break;
        default:
          break;
      }
      Remembers(exchange.captures());
    }
  }

  void Grpc(const plan::v1::GrpcStep& grpc) {
    Say(grpc.proto().empty() ? "asks the service for its types"
                             : "by " + grpc.proto());
    if (!grpc.json().empty()) Say("sends " + Shorten(grpc.json(), 160));
    Say("expects: status is " +
        (grpc.status().empty() ? std::string("OK") : grpc.status()));
    Expects(grpc.expect_json());
    if (grpc.has_within()) {
      Say("expects: over within " + Time(grpc.within()));
    }
    Remembers(grpc.captures());
  }

  void Burst(const plan::v1::BurstStep& burst) {
    Say(std::to_string(burst.times()) + " times, " +
        std::to_string(burst.at_once()) + " at once");
    for (const auto& [status, count] : burst.statuses()) {
      Say("expects: " + std::to_string(count) + " answers with " + status);
    }
    if (!burst.distinct().empty()) {
      Say("expects: " + burst.distinct() + " differs between all of them");
    }
    if (burst.has_within()) {
      Say("expects: all answered within " + Time(burst.within()));
    }
  }

  void Load(const plan::v1::LoadStep& load) {
    Say(Number(load.rate()) + " requests a second, " + load.arrivals() +
        ", for " + Time(load.duration()));
    for (const plan::v1::WeightedRequest& one : load.mix()) {
      Say("of " + one.request().method() + " " + one.request().path() +
          (load.mix_size() > 1 ? ", weight " + Number(one.weight()) : ""));
    }
    for (const plan::v1::Named& figure : load.expect()) {
      Expects(figure.expectation(), figure.name());
    }
    if (!load.partial_metric().empty()) {
      Say("points by " + load.partial_metric() + ": all at " +
          Number(load.partial_full()) + ", none at " +
          Number(load.partial_zero()));
    }
    for (const plan::v1::Named& figure : load.valid_if()) {
      Say("counts only if " +
          ExpectationText(figure.expectation(), figure.name()));
    }
    if (load.has_calibration()) {
      Say("judged by what " + load.calibration().reference() + " needs here");
    }
  }

  void Trace(const plan::v1::TraceStep& trace) {
    if (trace.has_queries_per_request()) {
      Expects(trace.queries_per_request(), "the number of statements");
    }
    if (trace.has_sequential_scans()) {
      const auto& scans = trace.sequential_scans();
      Say(std::string(scans.enforced() ? "expects: no" : "advises on a") +
          " statement that reads a table of more than " +
          std::to_string(scans.over()) + " rows from end to end");
    }
    if (trace.has_queries_per_request() || trace.has_sequential_scans()) return;
    Say("looks at spans of source " + trace.source() + ", " + trace.of() + " " +
        trace.per());
    if (trace.has_span_name()) {
      Say("of those whose " + ExpectationText(trace.span_name(), "name"));
    }
    if (!trace.kind().empty()) Say("of the kind " + trace.kind());
    if (!trace.below().empty()) Say("below " + trace.below());
    for (const plan::v1::Named& attribute : trace.attributes()) {
      Say("of those whose " +
          ExpectationText(attribute.expectation(), attribute.name()));
    }
    if (trace.has_count()) Expects(trace.count(), "their number");
    if (trace.has_status()) Expects(trace.status(), "the status of each");
    if (trace.has_duration()) Expects(trace.duration(), "the time of each");
  }

  void Logs(const plan::v1::LogsStep& logs) {
    for (const std::string& secret : logs.forbid_secrets()) {
      Say("expects: " + secret + " is nowhere");
    }
    for (const std::string& pattern : logs.forbid_matches()) {
      Say("expects: nothing matches " + pattern);
    }
    for (const std::string& pattern : logs.require_matches()) {
      Say("expects: something matches " + pattern);
    }
  }

  void Metrics(const plan::v1::MetricsStep& metrics) {
    std::string name = metrics.name();
    for (const auto& [label, value] : metrics.labels()) {
      name.append(" with ").append(label).append(" ").append(value);
    }
    if (metrics.has_value()) {
      Expects(metrics.value(), name);
    } else {
      Say("expects: " + name + " exists");
    }
  }

  void Fault(const plan::v1::FaultStep& fault) {
    Say(fault.action() + " " + fault.argument_json() +
        (fault.has_duration() ? " for " + Time(fault.duration()) : ""));
  }

  void Crash(const plan::v1::RestartStep& step) {
    const auto& traffic = step.traffic();
    Say("killed when " + std::to_string(traffic.acknowledged()) + " of " +
        std::to_string(traffic.times()) + " requests are acknowledged, " +
        std::to_string(traffic.at_once()) + " at a time: " +
        traffic.request().method() + " " + traffic.request().path());
    if (step.has_history()) {
      Say("expects: every acknowledged " + step.history().id() +
          " to be there afterwards, and nothing twice");
    }
  }

  void Import(const std::string& format, const std::string& path,
              int min_cases) {
    if (format.empty()) return;
    Say("reads " + format + " from " +
        (path == "-" ? std::string("standard output") : path) +
        "; expects: at least " + std::to_string(std::max(1, min_cases)) +
        " executed, and all passed");
  }

  void Command(const plan::v1::CommandStep& command) {
    Say(command.in_repository() ? "in the candidate's repository"
                                : "in a cell with files of the suite");
    Import(command.import_format(), command.import_path(), command.min_cases());
    if (command.has_exit_code()) {
      Expects(command.exit_code(), "the exit code");
    } else {
      Say("expects: the exit code is 0");
    }
  }

  void Mutants(const plan::v1::MutantsStep& mutants) {
    Say("expects: the tests pass against " + mutants.reference());
    for (const auto& variant : mutants.variants()) {
      Say("expects: they fail against " + variant.folder() + ": " +
          variant.name());
    }
    Import(mutants.import_format(), mutants.import_path(), mutants.min_cases());
  }

  std::vector<std::string> said_;
};

}  // namespace

std::vector<std::string> StepSentences(const Step& step) {
  return Sentences().Of(step);
}

}  // namespace assay::suite
