#include "runner/run/base_scope.h"

#include <string>

#include "runner/sidecars/blueprints.h"

namespace assay::run {

suite::Scope BaseScope(const assay::runner::v1::RunInput& input) {
  using nlohmann::json;
  const auto& plan = input.plan();
  const auto endpoint = [](const std::string& url, int port) {
    return json{{"url", url}, {"host", "127.0.0.1"}, {"port", port}};
  };
  const auto http = [](int port) {
    return "http://127.0.0.1:" + std::to_string(port);
  };
  suite::Scope scope;
  scope.AddGenerators(input.seed());
  scope.Set("secrets", json::object());
  for (const auto& [name, value] : input.secrets()) {
    scope.SetMember("secrets", name, value);
  }
  scope.Set("run", json{{"seed", input.seed()}});
  json ports = json::object();
  if (plan.services_size() > 0) {
    scope.Set("port", plan.services(0).port());
    for (const auto& [name, port] : plan.services(0).ports()) {
      ports[name] = port;
    }
  }
  scope.Set("ports", ports);
  for (const auto& service : plan.services()) {
    scope.SetMember("services", service.name(),
                    endpoint(http(service.port()), service.port()));
  }
  for (const auto& sidecar : plan.sidecars()) {
    scope.SetMember("sidecars", sidecar.name(),
                    endpoint(sidecars::SidecarUrl(sidecar), sidecar.port()));
  }
  for (const auto& upstream : plan.upstreams()) {
    scope.SetMember("upstreams", upstream.name(),
                    endpoint(http(upstream.port()), upstream.port()));
  }
  return scope;
}

}  // namespace assay::run
