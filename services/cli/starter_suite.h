#ifndef ASSAY_SERVICES_CLI_STARTER_SUITE_H_
#define ASSAY_SERVICES_CLI_STARTER_SUITE_H_

namespace assay::cli {

// What `assay suite init` writes; a test compiles it.
inline constexpr char kStarterSuite[] =
    R"(# How a solution is built, started and graded.
version: 1
name: A service

limits: { run: 5m, build: 60s, check: 30s, request: 5s }

environment: { image: host, egress: [] }

service:
  build: { run: ./build.sh }
  start:
    run: ./run.sh
    env: { PORT: "{{port}}", DATABASE_URL: "{{sidecars.db.url}}" }
  ready: { get: /healthz, status: 200, within: 30s }

sidecars:
  db: { kind: postgres, reset: per-check }

checks:
  - id: answers
    title: The service answers with JSON
    points: 10
    visibility: public
    steps:
      - get: /
        expect:
          status: 200
          headers: { content-type: { starts: application/json } }
)";

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_STARTER_SUITE_H_
