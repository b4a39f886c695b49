#include "runner/suite/compiler.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <memory>
#include <set>

#include "proto/base/digest.h"
#include "runner/suite/builder.h"

namespace assay::suite {
namespace {

using Visibility = Builder::Visibility;

struct Source {
  std::shared_ptr<const Node> root;
  Visibility visibility = Visibility::kUnsaid;
};

// The suite's file and those that it includes, in the order in which their
// parts are added: what is included comes first.
class Sources {
 public:
  Sources(const Files& files, Validator& validator, Report& report)
      : files_(files), validator_(validator), report_(report) {}

  std::vector<Source> Load() {
    Add(std::string(kSuiteFile), SuiteObject());
    return std::move(sources_);
  }

 private:
  static constexpr std::size_t kMaxFiles = 100;

  Visibility Add(const std::string& path, const Object& object) {
    Source source;
    source.root = ParseYaml(path, files_.at(path), report_.errors());
    if (source.root == nullptr) return Visibility::kUnsaid;
    validator_.Check(*source.root, object);
    if (source.root->kind != Node::Kind::kMap) return Visibility::kUnsaid;
    const Node* visibility = source.root->Get("visibility");
    if (visibility != nullptr && validator_.Good(*visibility)) {
      source.visibility = visibility->text == "hidden" ? Visibility::kHidden
                                                       : Visibility::kPublic;
    }
    loading_.insert(path);
    Include(source);
    loading_.erase(path);
    sources_.push_back(source);
    return source.visibility;
  }

  void Include(const Source& source) {
    const Node* list = source.root->Get("include");
    if (list == nullptr || list->kind != Node::Kind::kList) return;
    for (const auto& item : list->items) {
      if (!validator_.Good(*item)) continue;
      const std::string& path = item->text;
      if (loading_.contains(path)) {
        report_.Error(item->at, "\"" + path + "\" includes itself");
        continue;
      }
      if (!loaded_.insert(path).second || loaded_.size() > kMaxFiles) {
        report_.Error(item->at, "\"" + path + "\" was included before");
        continue;
      }
      const Visibility included = Add(path, IncludedObject());
      if (source.visibility == Visibility::kPublic &&
          included == Visibility::kHidden) {
        report_.Error(item->at, "a public file may not include \"" + path +
                                    "\", which is hidden");
      }
    }
  }

  const Files& files_;
  Validator& validator_;
  Report& report_;
  std::set<std::string> loading_;
  std::set<std::string> loaded_;
  std::vector<Source> sources_;
};

}  // namespace

std::expected<Compiled, Diagnostics> Compile(
    const Files& files, const std::set<std::string>& programs) {
  Report report;
  const std::string root(kSuiteFile);
  if (!files.contains(root)) {
    report.Error({root, 0, 0}, "there is no " + root +
                                   " in the suite's folder; \"assay suite "
                                   "init\" writes one");
    return std::unexpected(report.TakeErrors());
  }
  Validator validator(files, report);
  const std::vector<Source> sources = Sources(files, validator, report).Load();
  if (sources.empty()) return std::unexpected(report.TakeErrors());

  Compiled compiled;
  compiled.plan.set_source_name(root);
  Builder builder(files, validator, report, compiled.plan);
  // The suite itself comes last, and says what all others stand on.
  builder.Suite(*sources.back().root);
  for (const Source& source : sources) {
    builder.SharedParts(*source.root, source.visibility);
  }
  if (compiled.plan.checks_size() == 0 && report.ok()) {
    report.Error(sources.back().root->at,
                 "the suite has no checks, so that nothing could pass");
  }
  builder.Finish();
  if (!report.ok()) return std::unexpected(report.TakeErrors());
  for (const std::string& program : programs) {
    if (compiled.plan.files().contains(program)) {
      compiled.plan.add_programs(program);
    }
  }
  compiled.warnings = report.TakeWarnings();
  return compiled;
}

std::string SerializePlan(const plan::v1::Plan& plan) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    // Maps in the order of their keys.
    coded.SetSerializationDeterministic(true);
    plan.SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::string PlanDigest(const plan::v1::Plan& plan) {
  return Sha256Hex(SerializePlan(plan));
}

}  // namespace assay::suite
