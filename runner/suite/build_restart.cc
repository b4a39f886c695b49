// The step `restart`.

#include <algorithm>
#include <utility>

#include "runner/suite/builder.h"

namespace assay::suite {

void Builder::Restart(const Node& node, const Node& target,
                      plan::v1::RestartStep& out) {
  out.set_target(target.text);
  if (!suite_names_.services.contains(target.text) &&
      target.text != "service") {
    report_.Error(target.at, "restart: there is no process \"" + target.text +
                                 "\" of the service");
  }
  if (const Node* traffic = Get(node, "traffic")) {
    Traffic(*traffic, *out.mutable_traffic());
  }
  const Node* history = Get(node, "history");
  if (history == nullptr) return;
  if (Get(node, "traffic") == nullptr) {
    report_.Error(history->at,
                  "history: without \"traffic\", nothing was acknowledged "
                  "that could be lost");
  }
  History(*history, *out.mutable_history());
}

void Builder::InnerRequest(const Node& node, plan::v1::HttpStep& out) {
  if (!validator_.Good(node) || node.kind != Node::Kind::kMap) return;
  plan::v1::Step step;
  names_->inner.push_back(StepOf(node, step));
  out = std::move(*step.mutable_http());
}

void Builder::Traffic(const Node& node, plan::v1::RestartStep::Traffic& out) {
  const auto number = [&](std::string_view key, int fallback) {
    return static_cast<std::int32_t>(Integer(node, key, fallback));
  };
  out.set_times(number("times", 2));
  out.set_at_once(std::min(out.times(), number("at_once", 4)));
  out.set_acknowledged(number("acknowledged", std::max(1, out.times() / 3)));
  if (out.acknowledged() >= out.times()) {
    report_.Error(node.Get("acknowledged")->at,
                  "acknowledged: nothing would be under way any more; it has "
                  "to be less than times, " +
                      std::to_string(out.times()));
  }
  if (const Node* request = Get(node, "request")) {
    InnerRequest(*request, *out.mutable_request());
  }
}

void Builder::History(const Node& node, plan::v1::RestartStep::History& out) {
  *out.mutable_position() = At(node.at);
  out.set_id(Text(node, "id"));
  if (const Node* statement = Get(node, "sql")) {
    out.set_statement(statement->text);
    out.set_target(SidecarTarget(node, plan::v1::Sidecar::KIND_POSTGRES));
    if (statement->text.find("{{") != std::string::npos) {
      report_.Error(statement->at, "templates do not work inside SQL");
    }
  }
  const Node* request = Get(node, "request");
  if (request == nullptr) return;
  InnerRequest(*request, *out.mutable_request());
  out.set_ids(Text(node, "ids"));
  if (node.Find("ids") == nullptr) {
    report_.Error(node.at,
                  "history: say by \"ids\" where they are in the "
                  "answer, like $[*].id");
  }
}

}  // namespace assay::suite
