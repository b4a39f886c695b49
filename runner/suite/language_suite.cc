// The table's rows above the steps: a suite, its service, sidecars, checks.

#include "runner/suite/language_objects.h"
#include "runner/suite/shapes.h"

namespace assay::suite {
namespace {

using namespace shapes;  // NOLINT(google-build-using-namespace)

const Object& LimitsObject() {
  static const Object kObject = {
      "limits",
      "Bounds of a run. Times are layered: each ends only what it belongs to, "
      "and what was measured until then is kept.",
      {
          {"run", {Timeout()}, false, "Time for the whole run.", "10m"},
          {"build", {Timeout()}, false, "Time for the build.", "5m"},
          {"start",
           {Timeout()},
           false,
           "Time until the service is ready, sidecars included.",
           "30s"},
          {"check", {Timeout()}, false, "Time for one check.", "30s"},
          {"step",
           {Timeout()},
           false,
           "Time for one step; a step that polls may take its `within`.",
           "30s"},
          {"request",
           {Timeout()},
           false,
           "Time for one HTTP request or one statement.",
           "10s"},
          {"memory", {Size()}, false, "Memory of each cell.", "1GiB"},
          {"cpus",
           {Number(0.1, 64)},
           false,
           "Processors of each cell; may be a fraction.",
           "2"},
          {"pids", {Integer(8, 32768)}, false, "Processes and threads.", "512"},
          {"disk", {Size()}, false, "Bytes in the work directory.", "2GiB"},
          {"inodes",
           {Integer(100, 10'000'000)},
           false,
           "Files in the work directory.",
           "200000"},
          {"log", {Size()}, false, "Bytes kept of each log.", "4MiB"},
          {"body", {Size()}, false, "Bytes kept of one answer's body.", "1MiB"},
      },
      "limits: { run: 10m, build: 4m, check: 30s, request: 5s }"};
  return kObject;
}

const Object& EgressObject() {
  static const Object kObject = {
      "an egress entry",
      "A host that the build may connect to, through the runner's proxy.",
      {
          {"host",
           {Text()},
           true,
           "Host and port: `packages.example.org:443`."},
          {"private",
           {Bool()},
           false,
           "Whether the host may have an address of this machine or of a "
           "private "
           "network; refused otherwise.",
           "false"},
      }};
  return kObject;
}

const Object& EnvironmentObject() {
  static const Object kObject = {
      "an environment",
      "The root file system that build and service run in.",
      {
          {"image",
           {Text()},
           false,
           "`host` (the machine's own, read-only) or `oci:NAME[:TAG]`, an "
           "image "
           "that the worker's admin has put there.",
           "host"},
          {"egress",
           {List({Text(), Of(EgressObject)})},
           false,
           "What the build may connect to, through a proxy that `http_proxy` "
           "and "
           "its like name. Checks never reach anything.",
           "[]"},
      },
      "environment: { image: host, egress: [packages.example.org:443] }"};
  return kObject;
}

const Object& ReadyObject() {
  static const Object kObject = {
      "a readiness probe",
      "When a service counts as started. The time until then belongs to no "
      "check.",
      {
          {"get",
           {Path()},
           false,
           "Path to ask for. Without it the port has to accept a connection."},
          {"status",
           {Expect(Subject::kStatus)},
           false,
           "What counts as an answer.",
           "2xx"},
          {"within",
           {Timeout()},
           false,
           "Time allowed; `limits.start` by default."},
          {"every", {Timeout()}, false, "Pause between tries.", "50ms"},
      },
      "ready: { get: /healthz, status: 200, within: 30s }"};
  return kObject;
}

std::vector<Key> ServiceKeys() {
  return {
      {"build",
       {Text(), Of(CommandObject)},
       false,
       "Command that builds it, run once before anything starts."},
      {"start",
       {Text(), Of(CommandObject)},
       false,
       "Command that runs it, in the foreground."},
      {"ready", {Of(ReadyObject)}, false, "When it counts as started."},
      {"env",
       {Map(Template())},
       false,
       "Environment of both commands; the commands' own come on top."},
      {"port",
       {Integer(1024, 65535)},
       false,
       "Where it listens; it reads `{{port}}`.",
       "8080"},
      {"ports", {Map(Integer(1024, 65535))}, false, "More ports, by name."},
      {"restart",
       {Choice({"when-dead", "per-check"})},
       false,
       "`per-check` for services that keep state in memory.",
       "when-dead"},
      {"stop_grace",
       {Duration()},
       false,
       "Time between SIGTERM and SIGKILL.",
       "2s"},
  };
}

const Object& ProcessObject() {
  static const Object kObject = {
      "a process of the service",
      "One of several processes of the candidate's, each in a cell of its own.",
      ServiceKeys()};
  return kObject;
}

const Object& ServiceObject() {
  static const Object kObject = [] {
    Object object = {
        "a service",
        "The candidate's service: how it is built and started, and when it is "
        "ready.",
        ServiceKeys(),
        "service:\n"
        "  build: { run: make build }\n"
        "  start: { run: ./run.sh, env: { PORT: \"{{port}}\" } }\n"
        "  ready: { get: /healthz, status: 200, within: 30s }"};
    object.keys.push_back(
        {"processes",
         {Map(Of(ProcessObject))},
         false,
         "More than one process, by name; steps talk to the first unless they "
         "name another. `build` and `env` beside it hold for all."});
    return object;
  }();
  return kObject;
}

const Object& SecretObject() {
  static const Object kObject = {
      "a secret",
      "A value that is generated for each run and redacted, by value, from "
      "everything that leaves it.",
      {
          {"generate",
           {Choice({"hex32", "password", "uuid"})},
           true,
           "`hex32`: 64 hexadecimal digits. `password`: 20 characters of "
           "several classes. `uuid`."},
      },
      "secrets: { jwt: { generate: hex32 } }"};
  return kObject;
}

Key VisibilityKey(std::string doc) {
  return {"visibility", {Choice({"public", "hidden"})}, false, std::move(doc)};
}

std::vector<Key> FileKeys() {
  return {
      {"include",
       {List(File())},
       false,
       "More suite files, whose secrets, vars, flows and checks are added in "
       "this order. A public file may not include a hidden one."},
      {"secrets", {Map(Of(SecretObject))}, false, "Generated values."},
      {"vars", {Map(Json())}, false, "Values for templates, by name."},
      {"flows",
       {Map(List(Step(), 1))},
       false,
       "Named, reusable steps. What they capture returns to the caller."},
  };
}

}  // namespace

const Object& SuiteObject() {
  static const Object kObject = [] {
    Object object = {
        "a suite",
        "`assay.yaml`: what is built, started and checked.",
        {
            {"version", {Integer(1, 1)}, true, "Of this language: 1."},
            {"name", {Text()}, true, "Shown above every result."},
            VisibilityKey("Of the checks in this file that do not say."),
            {"limits", {Of(LimitsObject)}, false, "Times and sizes."},
            {"environment",
             {Of(EnvironmentObject)},
             false,
             "Where build and service run."},
            {"service",
             {Of(ServiceObject)},
             false,
             "The candidate's service. Without one there is nothing to talk "
             "to: only `command` and `mutants` steps make sense."},
            {"sidecars",
             {Map(Of(SidecarObject))},
             false,
             "Databases and caches beside it, by name."},
            {"upstreams",
             {Map(Of(UpstreamObject))},
             false,
             "Services that it calls, by name."},
        },
        "version: 1\nname: Orders API"};
    for (Key& key : FileKeys()) object.keys.push_back(std::move(key));
    object.keys.push_back({"checks",
                           {List(Of(CheckObject), 0, 2000)},
                           false,
                           "What is graded, in the order of execution."});
    return object;
  }();
  return kObject;
}

const Object& IncludedObject() {
  static const Object kObject = [] {
    Object object = {
        "an included file",
        "A file named by `include`.",
        {VisibilityKey("Of the file and of its checks that do not say.")}};
    for (Key& key : FileKeys()) object.keys.push_back(std::move(key));
    object.keys.push_back(
        {"checks", {List(Of(CheckObject), 0, 2000)}, false, "More checks."});
    return object;
  }();
  return kObject;
}

const Object& CheckObject() {
  static const Object kObject = {
      "a check",
      "One graded item. It passes when every step does.",
      {
          {"id",
           {Id()},
           true,
           "Lower-case letters, digits and `-`; stays the same over versions."},
          {"title",
           {Text()},
           true,
           "A sentence that is true when the check passes."},
          {"points", {Number(0, 100'000)}, true, "What it is worth."},
          VisibilityKey("`hidden` checks run on submissions only. Required, "
                        "unless the file says it for all."),
          {"reveal",
           {Choice({"none", "title", "result", "full"})},
           false,
           "What a candidate may see of a hidden check.",
           "none"},
          {"reveal_at",
           {Choice({"push", "deadline", "decision", "never"})},
           false,
           "From when on.",
           "decision"},
          {"timeout", {Timeout()}, false, "`limits.check` by default."},
          {"cases",
           {List(Map(Json()), 1, 1000)},
           false,
           "Rows that the check runs for, read as `{{case.NAME}}`; `name` "
           "titles a row. They share the points equally with `partial`, else "
           "all have to pass."},
          {"partial",
           {Bool()},
           false,
           "Points by case, or by step and by what a step imports. Default: "
           "true for a check with `cases` or `mutants`."},
          {"needs",
           {Id(), List(Id())},
           false,
           "Checks that must have passed, else this one is skipped."},
          {"bonus",
           {Bool()},
           false,
           "Counts above the maximum instead of in it.",
           "false"},
          {"cap",
           {Number(0, 100'000)},
           false,
           "The most it may earn; its points by default."},
          {"steps", {List(Step(), 1, 1000)}, true, "What is done, in order."},
      },
      "checks:\n"
      "  - id: create-order\n"
      "    title: Creating an order returns it\n"
      "    points: 10\n"
      "    visibility: public\n"
      "    steps:\n"
      "      - post: /orders\n"
      "        json: { sku: A-1 }\n"
      "        expect: { status: 201 }"};
  return kObject;
}

const Object& CommandObject() {
  static const Object kObject = {
      "a command",
      "A shell command, run as `sh -c` in the work directory.",
      {
          {"run", {Text()}, true, "The command line."},
          {"env", {Map(Template())}, false, "Environment."},
          {"timeout",
           {Timeout()},
           false,
           "`limits.build` or `limits.start` by default."},
          {"directory", {Text()}, false, "Below the work directory.", "."},
      }};
  return kObject;
}

}  // namespace assay::suite
