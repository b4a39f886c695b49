// What stands above the checks: limits, services, sidecars, secrets, vars.

#include <algorithm>

#include "runner/suite/builder.h"
#include "runner/suite/json_schema.h"
#include "runner/suite/nearest.h"

namespace assay::suite {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kFirstPort = 8080;
constexpr int kPostgresPort = 5432;
constexpr int kRedisPort = 6379;
constexpr int kFirstUpstreamPort = 8180;

// "POST /charge".
bool IsRoute(std::string_view text) {
  const std::size_t end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  return end != 0 && end != std::string_view::npos &&
         text.substr(end).starts_with(" /");
}

// Flows that use each other are an error of their own.
constexpr int kMostFlowDepth = 16;

bool SomeLoadGivesParts(
    const google::protobuf::RepeatedPtrField<plan::v1::Step>& steps,
    const plan::v1::Plan& plan, int depth) {
  return std::ranges::any_of(steps, [&](const plan::v1::Step& step) {
    if (!step.load().partial_metric().empty()) return true;
    if (!step.has_use() || depth >= kMostFlowDepth) return false;
    const auto flow = plan.flows().find(step.use().flow());
    return flow != plan.flows().end() &&
           SomeLoadGivesParts(flow->second.steps(), plan, depth + 1);
  });
}

}  // namespace

void Builder::Suite(const Node& root) {
  plan_.set_version(1);
  plan_.set_name(Text(root, "name"));
  Limits(root);
  Environment(root);
  Services(root);
  Sidecars(root);
  Upstreams(root);
}

void Builder::SharedParts(const Node& file, Visibility visibility) {
  names_ = nullptr;
  Secrets(file);
  Vars(file);
  for (const Node::Entry* flow : Refused(file, "flows")) {
    suite_names_.flow_places.emplace(flow->key, flow->key_at);
    suite_names_.flows[flow->key];
  }
  for (const Node::Entry* flow : Entries(file, "flows")) {
    if (suite_names_.flow_places.contains(flow->key)) {
      report_.Error(flow->key_at, "the flow \"" + flow->key +
                                      "\" was defined in another file");
      continue;
    }
    suite_names_.flow_places[flow->key] = flow->key_at;
    plan::v1::Flow& out = (*plan_.mutable_flows())[flow->key];
    *out.mutable_position() = At(flow->key_at);
    suite_names_.flows[flow->key] = StepsOf(*flow->value, *out.mutable_steps());
    CalibratedLoads(out.steps(), false);
  }
  const Node* checks = Get(file, "checks");
  if (checks == nullptr) return;
  for (const auto& check : checks->items) {
    if (check->kind == Node::Kind::kMap) Check(*check, visibility);
  }
}

void Builder::Finish() {
  names_ = nullptr;
  for (const auto& [check, need] : needs_) {
    const auto it = check_lines_.find(need.name);
    std::vector<std::string> ids;
    for (const auto& [id, unused] : check_lines_) ids.push_back(id);
    if (it == check_lines_.end()) {
      report_.Error(need.at, "there is no check \"" + need.name + "\"" +
                                 DidYouMean(need.name, ids));
    } else if (it->second >= check_lines_.at(check)) {
      report_.Error(need.at, "the check \"" + need.name +
                                 "\" has to run before this one; checks run "
                                 "in the order of the file");
    }
  }
  double max_points = 0;
  int hidden = 0;
  for (plan::v1::Check& check : *plan_.mutable_checks()) {
    check.set_partial_by_step(SomeLoadGivesParts(check.steps(), plan_, 0));
    if (!check.bonus() && !check.claimed()) {
      max_points += check.cap() > 0 ? check.cap() : check.points();
    }
    if (check.hidden()) ++hidden;
  }
  plan_.set_max_points(max_points);
  plan_.set_hidden_check_count(hidden);
  NumberCommands();
  CheckNamesOf(suite_names_, report_);
}

void Builder::Limits(const Node& root) {
  static const Node kNone;
  const Node* node = Get(root, "limits");
  const Node& limits = node == nullptr ? kNone : *node;
  plan::v1::Limits& out = *plan_.mutable_limits();
  *out.mutable_run_timeout() = ToProto(Time(limits, "run", minutes(10)));
  *out.mutable_build_timeout() = ToProto(Time(limits, "build", minutes(5)));
  *out.mutable_start_timeout() = ToProto(Time(limits, "start", seconds(30)));
  *out.mutable_check_timeout() = ToProto(Time(limits, "check", seconds(30)));
  *out.mutable_step_timeout() = ToProto(Time(limits, "step", seconds(30)));
  *out.mutable_request_timeout() =
      ToProto(Time(limits, "request", seconds(10)));
  out.set_memory_bytes(Size(limits, "memory", std::int64_t{1} << 30));
  out.set_cpus(Number(limits, "cpus", 2));
  out.set_pids(static_cast<std::int32_t>(Integer(limits, "pids", 512)));
  out.set_disk_bytes(Size(limits, "disk", std::int64_t{2} << 30));
  out.set_inodes(Integer(limits, "inodes", 200'000));
  out.set_log_bytes(Size(limits, "log", 4 << 20));
  out.set_body_bytes(Size(limits, "body", 1 << 20));
}

void Builder::Environment(const Node& root) {
  plan::v1::Environment& out = *plan_.mutable_environment();
  out.set_image("host");
  const Node* node = Get(root, "environment");
  if (node == nullptr) return;
  if (const Node* image = Get(*node, "image")) {
    if (image->text != "host" && !image->text.starts_with("oci:")) {
      report_.Error(image->at,
                    "image: expected host or oci:LAYOUT[:TAG], "
                    "found \"" +
                        image->text + "\"");
    }
    out.set_image(image->text);
  }
  const Node* egress = Get(*node, "egress");
  if (egress == nullptr) return;
  for (const auto& item : egress->items) {
    const Node* host =
        item->kind == Node::Kind::kMap ? Get(*item, "host") : item.get();
    if (host == nullptr || !validator_.Good(*host)) continue;
    const std::size_t colon = host->text.rfind(':');
    const std::string port =
        colon == std::string::npos ? "" : host->text.substr(colon + 1);
    const int number = port.size() > 5 ? 0 : std::atoi(port.c_str());
    if (colon == 0 || number < 1 || number > 65535 ||
        port.find_first_not_of("0123456789") != std::string::npos) {
      report_.Error(host->at,
                    "egress: expected a host and a port, like "
                    "packages.example.org:443, found \"" +
                        host->text + "\"");
      continue;
    }
    auto& entry = *out.add_egress();
    entry.set_host(host->text.substr(0, colon));
    entry.set_port(number);
    entry.set_private_(item->kind == Node::Kind::kMap &&
                       Bool(*item, "private", false));
  }
}

void Builder::TakePort(int port, const std::string& owner, const Place& at) {
  const auto [it, fresh] = ports_.emplace(port, owner);
  if (!fresh) {
    report_.Error(at, "port " + std::to_string(port) + " of " + owner +
                          " is taken by " + it->second);
  }
}

void Builder::TakeName(const std::string& name, const std::string& kind,
                       const Place& at) {
  const auto [it, fresh] = taken_names_.emplace(name, kind);
  if (!fresh) {
    report_.Error(at, "\"" + name + "\" names " + it->second +
                          " already; steps could not tell them apart");
  }
}

void Builder::Services(const Node& root) {
  const Node* node = Get(root, "service");
  if (node == nullptr || node->kind != Node::Kind::kMap) return;
  const Node* processes = Get(*node, "processes");
  if (processes == nullptr) {
    if (node->Find("start") == nullptr) {
      report_.Error(node->at, "a service needs the key \"start\"");
    }
    return Service(*node, nullptr, "service", node->at);
  }
  if (const Node::Entry* start = node->Find("start")) {
    report_.Error(start->key_at,
                  "with \"processes\", each process has its own \"start\"");
  }
  for (const Node::Entry* process : Entries(*node, "processes")) {
    if (process->value->kind != Node::Kind::kMap) continue;
    if (process->value->Find("start") == nullptr) {
      report_.Error(process->value->at,
                    "a process of the service needs the key \"start\"");
    }
    Service(*process->value, node, process->key, process->key_at);
  }
}

void Builder::Service(const Node& node, const Node* shared, std::string name,
                      const Place& at) {
  plan::v1::Service& out = *plan_.add_services();
  out.set_name(name);
  *out.mutable_position() = At(at);
  TakeName(name, "a process of the service", at);
  suite_names_.services.insert(name);
  const Node* shared_env = shared == nullptr ? nullptr : Get(*shared, "env");
  const Node* env = Get(node, "env");
  // What is built for all is built with the first.
  if (shared != nullptr && plan_.services_size() == 1 &&
      Get(*shared, "build") != nullptr && Get(node, "build") == nullptr) {
    *out.mutable_build() = Command(*Get(*shared, "build"), nullptr, shared_env);
  }
  if (const Node* build = Get(node, "build")) {
    *out.mutable_build() = Command(*build, env, shared_env);
  }
  if (const Node* start = Get(node, "start")) {
    *out.mutable_start() = Command(*start, env, shared_env);
  }
  int port = static_cast<int>(Integer(node, "port", 0));
  if (port == 0) {
    for (port = kFirstPort; ports_.contains(port);) ++port;
  }
  TakePort(port, name, at);
  out.set_port(port);
  for (const Node::Entry* extra : Entries(node, "ports")) {
    const auto number =
        static_cast<std::int32_t>(ToJson(*extra->value).get<int>());
    TakePort(number, name + "'s " + extra->key, extra->value->at);
    (*out.mutable_ports())[extra->key] = number;
    suite_names_.ports.insert(extra->key);
  }
  out.set_restart(Text(node, "restart") == "per-check"
                      ? plan::v1::Service::RESTART_PER_CHECK
                      : plan::v1::Service::RESTART_WHEN_DEAD);
  *out.mutable_stop_grace() = ToProto(Time(node, "stop_grace", seconds(2)));
  Ready(node, out);
}

plan::v1::Command Builder::Command(const Node& node, const Node* service_env,
                                   const Node* shared_env) {
  plan::v1::Command out;
  *out.mutable_position() = At(node.at);
  Env(shared_env, out);
  Env(service_env, out);
  if (node.kind != Node::Kind::kMap) {
    out.set_run(node.text);
    return out;
  }
  out.set_run(Text(node, "run"));
  out.set_directory(Text(node, "directory"));
  Env(Get(node, "env"), out);
  if (Get(node, "timeout") != nullptr) {
    *out.mutable_timeout() = ToProto(Time(node, "timeout", seconds(0)));
  }
  return out;
}

void Builder::Env(const Node* env, plan::v1::Command& out) {
  if (env == nullptr) return;
  for (const Node::Entry& entry : env->entries) {
    if (entry.key.find('=') != std::string::npos) {
      report_.Error(entry.key_at, "environment names hold no \"=\"");
    }
    if (!validator_.Good(*entry.value)) continue;
    NoteTemplates(entry.value->text, entry.value->at);
    (*out.mutable_env())[entry.key] = entry.value->text;
  }
}

void Builder::Ready(const Node& service, plan::v1::Service& out) {
  static const Node kNone;
  const Node* node = Get(service, "ready");
  const Node& ready = node == nullptr ? kNone : *node;
  plan::v1::Ready& probe = *out.mutable_ready();
  *probe.mutable_position() = At(node == nullptr ? service.at : node->at);
  probe.set_path(Template(ready, "get"));
  if (const Node* status = Get(ready, "status")) {
    *probe.mutable_status() = Expect(*status, Subject::kStatus);
    if (probe.path().empty()) {
      report_.Error(status->at, "status: only a probe with \"get\" has one");
    }
  } else if (!probe.path().empty()) {
    plan::v1::Matcher& matcher = *probe.mutable_status()->add_matchers();
    matcher.set_op(plan::v1::Matcher::OP_EQ);
    matcher.set_operand_json("\"2xx\"");
  }
  *probe.mutable_timeout() =
      ToProto(Time(ready, "within", FromProto(plan_.limits().start_timeout())));
  *probe.mutable_interval() = ToProto(Time(ready, "every", milliseconds(50)));
}

void Builder::Sidecars(const Node& root) {
  for (const Node::Entry* entry : Refused(root, "sidecars")) {
    suite_names_.sidecars.insert(entry->key);
  }
  for (const Node::Entry* entry : Entries(root, "sidecars")) {
    const Node& node = *entry->value;
    plan::v1::Sidecar& out = *plan_.add_sidecars();
    out.set_name(entry->key);
    *out.mutable_position() = At(entry->key_at);
    TakeName(entry->key, "a sidecar", entry->key_at);
    suite_names_.sidecars.insert(entry->key);
    const bool redis = Text(node, "kind") == "redis";
    out.set_kind(redis ? plan::v1::Sidecar::KIND_REDIS
                       : plan::v1::Sidecar::KIND_POSTGRES);
    out.set_version(static_cast<std::int32_t>(Integer(node, "version", 0)));
    for (const Node* seed : Several(node, "seed")) {
      if (redis) {
        report_.Error(seed->at, "seed: a Redis sidecar takes no SQL files");
        break;
      }
      out.add_seeds(seed->text);
      AddFile(seed->text);
    }
    out.set_reset(Text(node, "reset") == "per-check"
                      ? plan::v1::Sidecar::RESET_PER_CHECK
                      : plan::v1::Sidecar::RESET_PER_RUN);
    out.set_tapped(Bool(node, "tapped", true));
    out.set_port(static_cast<std::int32_t>(
        Integer(node, "port", redis ? kRedisPort : kPostgresPort)));
    if (Get(node, "kind") != nullptr) {
      TakePort(out.port(), "sidecar " + entry->key, entry->key_at);
    }
  }
}

void Builder::Upstreams(const Node& root) {
  int next = kFirstUpstreamPort;
  for (const Node::Entry* entry : Entries(root, "upstreams")) {
    const Node& node = *entry->value;
    plan::v1::Upstream& out = *plan_.add_upstreams();
    out.set_name(entry->key);
    *out.mutable_position() = At(entry->key_at);
    TakeName(entry->key, "an upstream", entry->key_at);
    suite_names_.upstreams.insert(entry->key);
    while (ports_.contains(next)) ++next;
    out.set_port(static_cast<std::int32_t>(Integer(node, "port", next)));
    TakePort(out.port(), "upstream " + entry->key, entry->key_at);
    const Node* routes = Get(node, "routes");
    if (routes != nullptr) out.set_routes_json(Routes(*routes));
  }
}

std::string Builder::Routes(const Node& routes) {
  nlohmann::json all = nlohmann::json::object();
  for (const Node::Entry& entry : routes.entries) {
    if (!IsRoute(entry.key)) {
      report_.Error(entry.key_at,
                    "routes: expected a method and a path, like \"POST "
                    "/charge\", found \"" +
                        entry.key + "\"");
    }
    if (!validator_.Good(*entry.value)) continue;
    if (entry.value->kind == Node::Kind::kMap) {
      all[entry.key] = ReplyOf(*entry.value);
      continue;
    }
    for (const auto& item : entry.value->items) {
      if (validator_.Good(*item)) all[entry.key].push_back(ReplyOf(*item));
    }
  }
  return all.dump();
}

nlohmann::json Builder::ReplyOf(const Node& node) {
  NoteTemplates(node);
  nlohmann::json reply = ToJson(node);
  // Texts are texts whatever they look like.
  if (const Node* text = Get(node, "text")) reply["text"] = text->text;
  for (const Node::Entry* header : Entries(node, "headers")) {
    reply["headers"][header->key] = header->value->text;
  }
  return reply;
}

void Builder::Secrets(const Node& file) {
  for (const Node::Entry* entry : Refused(file, "secrets")) {
    suite_names_.secrets.emplace(entry->key, entry->key_at);
  }
  for (const Node::Entry* entry : Entries(file, "secrets")) {
    const auto [it, fresh] =
        suite_names_.secrets.emplace(entry->key, entry->key_at);
    if (!fresh) {
      report_.Error(entry->key_at, "the secret \"" + entry->key +
                                       "\" was defined in another file");
      continue;
    }
    plan::v1::Secret& out = *plan_.add_secrets();
    out.set_name(entry->key);
    *out.mutable_position() = At(entry->key_at);
    const std::string generator = Text(*entry->value, "generate");
    out.set_generator(
        generator == "password" ? plan::v1::Secret::GENERATOR_PASSWORD
        : generator == "uuid"   ? plan::v1::Secret::GENERATOR_UUID
                                : plan::v1::Secret::GENERATOR_HEX32);
  }
}

void Builder::Vars(const Node& file) {
  for (const Node::Entry* entry : Refused(file, "vars")) {
    suite_names_.vars.emplace(entry->key, entry->key_at);
  }
  for (const Node::Entry* entry : Entries(file, "vars")) {
    for (const Builtin& builtin : Builtins()) {
      if (builtin.name == entry->key) {
        report_.Error(entry->key_at, "{{" + entry->key +
                                         "}} is built in; choose another name");
      }
    }
    const auto [it, fresh] =
        suite_names_.vars.emplace(entry->key, entry->key_at);
    if (!fresh) {
      report_.Error(entry->key_at, "the variable \"" + entry->key +
                                       "\" was defined in another file");
      continue;
    }
    (*plan_.mutable_vars())[entry->key] = Json(*entry->value);
  }
}

void Builder::AddFile(const std::string& path) {
  const auto it = files_.find(path);
  if (it != files_.end()) (*plan_.mutable_files())[path] = it->second;
}

void Builder::AddFolder(const std::string& path) {
  const std::string prefix = path.ends_with("/") ? path : path + "/";
  for (auto it = files_.lower_bound(prefix);
       it != files_.end() && it->first.starts_with(prefix); ++it) {
    AddFile(it->first);
  }
}

void Builder::AddSchema(const std::string& path, const Place& at) {
  const auto schema = JsonSchema::Load(files_, path);
  if (!schema) return report_.Error(at, schema.error().message);
  for (const std::string& used : schema->files()) AddFile(used);
}

}  // namespace assay::suite
