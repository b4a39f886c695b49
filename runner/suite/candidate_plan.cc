#include <functional>
#include <set>

#include "runner/suite/compiler.h"
#include "runner/suite/json_schema.h"
#include "runner/suite/template.h"

namespace assay::suite {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using plan::v1::Plan;
using plan::v1::Step;

// Every string in a message, whatever its depth: a field that is added to the
// plan later cannot be forgotten here.
void ForEachString(const Message& message,
                   const std::function<void(const std::string&)>& visit) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field->is_repeated()) {
      if (text) visit(reflection.GetString(message, field));
      if (nested) ForEachString(reflection.GetMessage(message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (text) visit(reflection.GetRepeatedString(message, field, i));
      if (nested) {
        ForEachString(reflection.GetRepeatedMessage(message, field, i), visit);
      }
    }
  }
}

// Every message in a message, itself included.
void ForEachMessage(const Message& message,
                    const std::function<void(const Message&)>& visit) {
  visit(message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      ForEachMessage(reflection.GetMessage(message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      ForEachMessage(reflection.GetRepeatedMessage(message, field, i), visit);
    }
  }
}

// As the compiler numbers them, over what is left.
void NumberCommands(Plan& plan) {
  int next = 0;
  const auto number = [&](auto& steps) {
    for (Step& step : steps) {
      if (step.has_command()) step.mutable_command()->set_index(next++);
      if (step.has_mutants()) step.mutable_mutants()->set_index(next++);
      if (step.has_load() && step.load().has_calibration()) {
        step.mutable_load()->mutable_calibration()->set_index(next++);
      }
    }
  };
  for (plan::v1::Check& check : *plan.mutable_checks()) {
    number(*check.mutable_steps());
  }
  std::set<std::string> names;
  for (const auto& [name, flow] : plan.flows()) names.insert(name);
  for (const std::string& name : names) {
    number(*(*plan.mutable_flows())[name].mutable_steps());
  }
}

// What public checks reach.
class Reached {
 public:
  explicit Reached(const Plan& plan) : plan_(plan) {
    for (const plan::v1::Service& service : plan.services()) Note(service);
    for (const plan::v1::Upstream& upstream : plan.upstreams()) Note(upstream);
    for (const plan::v1::Sidecar& sidecar : plan.sidecars()) Note(sidecar);
    for (const plan::v1::Check& check : plan.checks()) {
      if (!check.hidden()) Note(check);
    }
  }

  bool Flow(const std::string& name) const { return flows_.contains(name); }
  bool Var(const std::string& name) const { return vars_.contains(name); }
  bool Secret(const std::string& name) const { return secrets_.contains(name); }
  bool File(const std::string& path) const { return files_.contains(path); }

 private:
  void Note(const Message& message) {
    ForEachMessage(message, [this](const Message& part) { Names(part); });
    ForEachString(message, [this](const std::string& text) { Text(text); });
  }

  // Flows and secrets are taken along where they are meant, not where a title
  // happens to be the same word: hidden checks' flows are hidden, too.
  void Names(const Message& part) {
    if (part.GetDescriptor() == plan::v1::UseStep::descriptor()) {
      Use(static_cast<const plan::v1::UseStep&>(part).flow());
    } else if (part.GetDescriptor() == plan::v1::LogsStep::descriptor()) {
      const auto& logs = static_cast<const plan::v1::LogsStep&>(part);
      secrets_.insert(logs.forbid_secrets().begin(),
                      logs.forbid_secrets().end());
    }
  }

  void Use(const std::string& name) {
    const auto flow = plan_.flows().find(name);
    if (flow == plan_.flows().end() || !flows_.insert(name).second) return;
    Note(flow->second);
  }

  // A text may be the path of a file, or refer to any number of values.
  void Text(const std::string& text) {
    File(text);
    const auto references = TemplateReferences(text);
    if (!references) return;
    for (const std::string& name : *references) {
      const std::string first = name.substr(0, name.find('.'));
      if (first == "secrets") secrets_.insert(name.substr(name.find('.') + 1));
      const auto var = plan_.vars().find(first);
      if (var != plan_.vars().end() && vars_.insert(first).second) {
        Text(var->second);
      }
    }
  }

  void File(const std::string& text) {
    const std::string path = text.starts_with("@") ? text.substr(1) : text;
    for (const auto& [name, unused] : plan_.files()) {
      const bool below = path.ends_with("/") && name.starts_with(path);
      // A `.proto` may import any other.
      const bool import = path.ends_with(".proto") &&
                          plan_.files().contains(path) &&
                          name.ends_with(".proto");
      if ((name != path && !below && !import) || !files_.insert(name).second) {
        continue;
      }
      // A schema brings those that it refers to.
      const JsonSchema::Files all(plan_.files().begin(), plan_.files().end());
      const auto schema = JsonSchema::Load(all, name);
      if (!schema) continue;
      for (const std::string& used : schema->files()) files_.insert(used);
    }
  }

  const Plan& plan_;
  std::set<std::string> flows_;
  std::set<std::string> vars_;
  std::set<std::string> secrets_;
  std::set<std::string> files_;
};

// A reference solution is nothing for candidates, not even that of a public
// check: their own machine measures as it is.
Plan WithoutReferences(Plan plan) {
  for (plan::v1::Check& check : *plan.mutable_checks()) {
    for (Step& step : *check.mutable_steps()) {
      if (step.has_load()) step.mutable_load()->clear_calibration();
    }
  }
  return plan;
}

}  // namespace

Plan CandidatePlan(const Plan& whole) {
  const Plan plan = WithoutReferences(whole);
  const Reached reached(plan);
  Plan candidate = plan;
  candidate.clear_checks();
  candidate.clear_flows();
  candidate.clear_vars();
  candidate.clear_secrets();
  candidate.clear_files();
  candidate.clear_programs();
  double max_points = 0;
  for (const plan::v1::Check& check : plan.checks()) {
    if (check.hidden()) continue;
    *candidate.add_checks() = check;
    // A hidden check that is needed would be named here.
    auto& needs = *candidate.mutable_checks()->rbegin()->mutable_needs();
    needs.Clear();
    for (const std::string& need : check.needs()) {
      for (const plan::v1::Check& other : plan.checks()) {
        if (other.id() == need && !other.hidden()) *needs.Add() = need;
      }
    }
    if (!check.bonus() && !check.claimed()) {
      max_points += check.cap() > 0 ? check.cap() : check.points();
    }
  }
  candidate.set_max_points(max_points);
  for (const auto& [name, flow] : plan.flows()) {
    if (reached.Flow(name)) (*candidate.mutable_flows())[name] = flow;
  }
  for (const auto& [name, value] : plan.vars()) {
    if (reached.Var(name)) (*candidate.mutable_vars())[name] = value;
  }
  for (const plan::v1::Secret& secret : plan.secrets()) {
    if (reached.Secret(secret.name())) *candidate.add_secrets() = secret;
  }
  for (const auto& [path, bytes] : plan.files()) {
    if (reached.File(path)) (*candidate.mutable_files())[path] = bytes;
  }
  for (const std::string& path : plan.programs()) {
    if (reached.File(path)) candidate.add_programs(path);
  }
  NumberCommands(candidate);
  return candidate;
}

}  // namespace assay::suite
