#include "runner/suite/names.h"

#include <algorithm>

#include "runner/suite/language.h"
#include "runner/suite/nearest.h"
#include "runner/suite/template.h"

namespace assay::suite {
namespace {

std::string FirstPart(const std::string& name) {
  return name.substr(0, name.find('.'));
}

std::string SecondPart(const std::string& name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return "";
  return name.substr(dot + 1, name.find('.', dot + 1) - dot - 1);
}

template <class Map>
std::vector<std::string> KeysOf(const Map& map) {
  std::vector<std::string> keys;
  keys.reserve(map.size());
  for (const auto& [key, unused] : map) keys.push_back(key);
  return keys;
}

std::vector<std::string> KeysOf(const std::set<std::string>& set) {
  return {set.begin(), set.end()};
}

class Checker {
 public:
  Checker(const SuiteNames& names, Report& report)
      : names_(names), report_(report) {}

  void Run() {
    for (const NameUse& use : names_.early) CheckUse(use, {});
    for (const CheckNames& check : names_.checks) {
      check_ = &check;
      std::set<std::string> captured;
      Walk(check.steps, captured);
    }
    CheckUnusedFlows();
    WarnUnused();
  }

 private:
  void Walk(const std::vector<StepNames>& steps,
            std::set<std::string>& captured) {
    for (const StepNames& step : steps) WalkStep(step, captured);
  }

  void WalkStep(const StepNames& step, std::set<std::string>& captured) {
    for (const NameUse& use : step.uses) CheckUse(use, captured);
    for (const NameUse& secret : step.secrets) CheckSecret(secret, captured);
    if (!step.flow.name.empty()) WalkFlow(step, captured);
    std::set<std::string> inner = captured;
    Walk(step.inner, inner);
    for (const NameUse& define : step.defines) captured.insert(define.name);
  }

  void WalkFlow(const StepNames& step, std::set<std::string>& captured) {
    const auto flow = names_.flows.find(step.flow.name);
    if (flow == names_.flows.end()) {
      report_.Error(step.flow.at,
                    "there is no flow \"" + step.flow.name + "\"" +
                        DidYouMean(step.flow.name, KeysOf(names_.flows)));
      return;
    }
    used_flows_.insert(step.flow.name);
    if (std::find(running_.begin(), running_.end(), step.flow.name) !=
        running_.end()) {
      report_.Error(step.flow.at, "the flow \"" + step.flow.name +
                                      "\" runs itself, so that it never ends");
      return;
    }
    // Flows that call flows twice over could be walked exponentially often.
    if (++walks_ > 20'000) return;
    running_.push_back(step.flow.name);
    std::set<std::string> inside = captured;
    inside.insert(step.vars.begin(), step.vars.end());
    Walk(flow->second, inside);
    running_.pop_back();
    for (const std::string& name : inside) {
      const bool was_var = std::find(step.vars.begin(), step.vars.end(),
                                     name) != step.vars.end();
      if (!was_var) captured.insert(name);
    }
  }

  void CheckUse(const NameUse& use, const std::set<std::string>& captured) {
    const std::string first = FirstPart(use.name);
    if (captured.contains(first)) return;
    if (names_.vars.contains(first)) {
      used_vars_.insert(first);
      return;
    }
    if (first == "secrets") return CheckMember(use, KeysOf(names_.secrets));
    if (first == "sidecars") return CheckMember(use, KeysOf(names_.sidecars));
    if (first == "services") return CheckMember(use, KeysOf(names_.services));
    if (first == "upstreams") {
      return CheckMember(use, KeysOf(names_.upstreams));
    }
    if (first == "ports") return CheckMember(use, KeysOf(names_.ports));
    if (first == "case") return CheckCase(use);
    if (first == "run") return CheckMember(use, {"seed"});
    for (const Builtin& builtin : Builtins()) {
      if (builtin.name == use.name) return;
    }
    std::vector<std::string> known(captured.begin(), captured.end());
    for (const auto& [name, unused] : names_.vars) known.push_back(name);
    for (const Builtin& builtin : Builtins()) known.push_back(builtin.name);
    for (const auto& [name, unused] : names_.secrets) {
      if (name == first) {
        return Unknown(use, "; did you mean \"secrets." + name + "\"?");
      }
    }
    Unknown(use, DidYouMean(first, known));
  }

  void Unknown(const NameUse& use, const std::string& hint) {
    report_.Error(use.at, "nothing defines {{" + use.name +
                              "}} before this point" + hint);
  }

  void CheckMember(const NameUse& use, const std::vector<std::string>& known) {
    const std::string first = FirstPart(use.name);
    const std::string second = SecondPart(use.name);
    if (std::find(known.begin(), known.end(), second) != known.end()) {
      if (first == "secrets") used_secrets_.insert(second);
      return CheckProperty(use);
    }
    const std::string hint = DidYouMean(second, known);
    report_.Error(
        use.at,
        "there is no {{" + use.name + "}}" +
            (!hint.empty() ? hint : "; " + first + " has " + JoinNames(known)));
  }

  // `{{sidecars.db}}` by itself is no text that anybody could want.
  void CheckProperty(const NameUse& use) {
    const std::string first = FirstPart(use.name);
    if (first != "sidecars" && first != "services" && first != "upstreams") {
      return;
    }
    static const std::vector<std::string> kProperties = {"url", "host", "port"};
    const std::string start = first + "." + SecondPart(use.name);
    const std::string rest =
        use.name.size() > start.size() ? use.name.substr(start.size() + 1) : "";
    if (std::find(kProperties.begin(), kProperties.end(), rest) !=
        kProperties.end()) {
      return;
    }
    report_.Error(use.at, "{{" + use.name +
                              "}} has to end in .url, .host or "
                              ".port");
  }

  void CheckCase(const NameUse& use) {
    if (check_ == nullptr || check_->case_keys.empty()) {
      report_.Error(use.at,
                    "{{" + use.name + "}} is used where there are no cases");
      return;
    }
    const std::string key = SecondPart(use.name);
    for (std::size_t i = 0; i < check_->case_keys.size(); ++i) {
      if (check_->case_keys[i].contains(key)) continue;
      report_.Error(check_->case_places[i],
                    "this case has no value \"" + key + "\", which {{" +
                        use.name + "}} in line " + std::to_string(use.at.line) +
                        " takes" +
                        DidYouMean(key, KeysOf(check_->case_keys[i])));
      return;
    }
  }

  void CheckSecret(const NameUse& use, const std::set<std::string>& captured) {
    if (names_.secrets.contains(use.name)) {
      used_secrets_.insert(use.name);
      return;
    }
    if (captured.contains(use.name)) return;
    std::vector<std::string> known = KeysOf(names_.secrets);
    known.insert(known.end(), captured.begin(), captured.end());
    report_.Error(use.at, "there is no secret and no captured value \"" +
                              use.name + "\"" + DidYouMean(use.name, known));
  }

  // A flow that no check uses is still checked, with every name that anything
  // captures: its caller is not known.
  void CheckUnusedFlows() {
    for (const auto& [name, steps] : names_.flows) {
      if (used_flows_.contains(name)) continue;
      unused_flows_.push_back(name);
    }
    for (const std::string& name : unused_flows_) {
      for (const StepNames& step : names_.flows.at(name)) {
        if (!step.flow.name.empty() && !names_.flows.contains(step.flow.name)) {
          std::set<std::string> none;
          WalkFlow(step, none);
        }
      }
    }
  }

  void WarnUnused() {
    for (const std::string& name : unused_flows_) {
      report_.Warn(names_.flow_places.at(name),
                   "no step uses the flow \"" + name + "\"");
    }
    for (const auto& [name, at] : names_.secrets) {
      if (!used_secrets_.contains(name)) {
        report_.Warn(at, "nothing uses the secret \"" + name + "\"");
      }
    }
    // A flow that is never walked may use it.
    if (!unused_flows_.empty()) return;
    for (const auto& [name, at] : names_.vars) {
      if (!used_vars_.contains(name)) {
        report_.Warn(at, "nothing uses the variable \"" + name + "\"");
      }
    }
  }

  const SuiteNames& names_;
  Report& report_;
  const CheckNames* check_ = nullptr;
  std::vector<std::string> running_;
  std::vector<std::string> unused_flows_;
  std::set<std::string> used_flows_;
  std::set<std::string> used_vars_;
  std::set<std::string> used_secrets_;
  int walks_ = 0;
};

}  // namespace

void CheckNamesOf(const SuiteNames& names, Report& report) {
  Checker(names, report).Run();
}

}  // namespace assay::suite
