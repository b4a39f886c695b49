// Runs suites by `assay-runner --local` and prints what their events say took
// how long: milliseconds, medians over some runs.
//
//   suite_bench BIN_DIR SERVER_PY ROUNDS

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "runner/sidecars/blueprints.h"
#include "runner/sidecars/handover.h"
#include "runner/sidecars/postgres_template.h"
#include "runner/suite/compiler.h"
#include "runner/worker/event_parser.h"
#include "runner/worker/local_run.h"
#include "runner/worker/workshop.h"

namespace {

namespace fs = std::filesystem;
using assay::v1::RunEvent;

// HTTP steps in one check; the first ones warm up and are not counted.
constexpr int kWarm = 100;
constexpr int kSteps = 900;
constexpr int kFew = 20;

constexpr const char* kHead = R"(version: 1
name: Bench
limits: { run: 2m, check: 1m }
service:
  start: { run: exec python3 -S -E server.py, env: { PORT: "{{port}}" } }
  ready: { get: /, status: 200, within: 20s }
)";

std::string Check(const std::string& id, int steps) {
  std::string text = "  - id: " + id +
                     "\n    title: T\n    points: 1\n    visibility: public\n"
                     "    steps:\n";
  for (int i = 0; i < steps; ++i) {
    text +=
        "      - { get: /orders/7, expect: { status: 200, json: { $.id: "
        "\"7\" } } }\n";
  }
  return text;
}

double Milliseconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) * 1e3 +
         static_cast<double>(duration.nanos()) / 1e6;
}

double Median(std::vector<double> values) {
  if (values.empty()) return -1;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Bench {
 public:
  Bench(std::string bin, const std::string& server)
      : bin_(std::move(bin)),
        folder_(fs::temp_directory_path() /
                ("assay-suite-bench-" + std::to_string(getpid()))) {
    fs::create_directories(folder_ / "tree");
    fs::copy_file(server, folder_ / "tree/server.py");
  }
  ~Bench() { fs::remove_all(folder_); }

  const std::string& bin() const { return bin_; }
  std::string data() const { return (folder_ / "data").string(); }
  std::string tree() const { return (folder_ / "tree").string(); }

  static assay::plan::v1::Plan PlanOf(const std::string& suite) {
    auto compiled = assay::suite::Compile({{"assay.yaml", suite}});
    if (!compiled) {
      std::fprintf(stderr, "%s\n",
                   assay::suite::ToText(compiled.error()).c_str());
      std::exit(1);
    }
    return std::move(compiled->plan);
  }

  std::vector<RunEvent> Run(const std::string& suite) {
    std::ofstream(folder_ / "plan", std::ios::binary)
        << PlanOf(suite).SerializeAsString();
    const std::string command = bin_ + "/assay-runner --local " +
                                (folder_ / "tree").string() + " --plan " +
                                (folder_ / "plan").string() + " --data-dir " +
                                (folder_ / "data").string();
    FILE* pipe = popen(command.c_str(), "r");
    std::string bytes;
    char chunk[65536];
    for (std::size_t size; (size = fread(chunk, 1, sizeof chunk, pipe)) > 0;) {
      bytes.append(chunk, size);
    }
    if (pclose(pipe) != 0) std::exit(1);
    auto events = assay::worker::EventParser().Feed(bytes);
    if (!events || events->empty() || !events->back().has_finished()) {
      std::exit(1);
    }
    for (const RunEvent& event : *events) {
      const auto& result = event.check_finished().result();
      if (!event.has_check_finished() ||
          result.verdict() == assay::v1::VERDICT_PASSED) {
        continue;
      }
      std::fprintf(stderr, "%s: %s\n", result.check_id().c_str(),
                   result.reason().c_str());
      std::exit(1);
    }
    return *std::move(events);
  }

 private:
  const std::string bin_;
  const fs::path folder_;
};

double PhaseTime(const std::vector<RunEvent>& events, const std::string& name) {
  double begin = 0;
  for (const RunEvent& event : events) {
    const double at = static_cast<double>(event.time().seconds()) * 1e3 +
                      static_cast<double>(event.time().nanos()) / 1e6;
    if (event.phase_started().phase() == name) begin = at;
    if (event.phase_finished().phase() == name) return at - begin;
  }
  return -1;
}

void Steps(Bench& bench, int rounds) {
  std::vector<double> each;
  std::vector<double> few;
  for (int i = 0; i < rounds; ++i) {
    const auto events =
        bench.Run(kHead + ("checks:\n" + Check("many", kWarm + kSteps)) +
                  Check("few", kFew));
    for (const RunEvent& event : events) {
      const auto& result = event.check_finished().result();
      if (result.check_id() == "few") {
        few.push_back(Milliseconds(result.duration()));
      }
      if (result.check_id() != "many") continue;
      double sum = 0;
      for (int step = kWarm; step < result.steps_size(); ++step) {
        sum += Milliseconds(result.steps(step).duration());
      }
      each.push_back(sum / kSteps);
    }
  }
  std::printf("http_step %.4f\n", Median(each));
  std::printf("twenty %.3f\n", Median(few));
}

template <typename T>
T Must(assay::Expected<T> value) {
  if (value) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.error().message.c_str());
  std::exit(1);
}

assay::sandbox::Launcher SpawnLauncher(const Bench& bench) {
  return Must(assay::sandbox::Launcher::Spawn(bench.bin() + "/assay-launcher"));
}

// From nothing to the server's own word, in milliseconds.
double ReadyTime(assay::sandbox::Launcher& launcher,
                 const assay::sandbox::CellSpec& cell) {
  const auto begin = std::chrono::steady_clock::now();
  auto running = Must(assay::sidecars::StartSidecars(launcher, {cell}));
  const auto& server = running.all[0].server;
  std::string text;
  while (text.find("eady to accept connections") == std::string::npos) {
    pollfd fds[] = {{server.stdout_fd(), POLLIN, 0},
                    {server.stderr_fd(), POLLIN, 0},
                    {server.exit_fd(), POLLIN, 0}};
    poll(fds, 3, -1);
    if (fds[2].revents != 0) {
      std::fprintf(stderr, "a sidecar ended: %s\n", text.c_str());
      std::exit(1);
    }
    for (int i = 0; i < 2; ++i) {
      char chunk[4096];
      const ssize_t got = read(fds[i].fd, chunk, sizeof chunk);
      if (got > 0) text.append(chunk, static_cast<std::size_t>(got));
    }
  }
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now() - begin)
      .count();
}

// A run of a worker that stays, as its events.
std::vector<RunEvent> RunIn(assay::worker::CellWorkshop& workshop,
                            const Bench& bench,
                            const assay::plan::v1::Plan& plan) {
  const int out = memfd_create("events", MFD_CLOEXEC);
  const auto ran =
      assay::worker::RunLocally(workshop, bench.bin() + "/assay-run",
                                {.run = "bench",
                                 .epoch = 1,
                                 .plan = plan,
                                 .seed = 1,
                                 .tree = bench.tree()},
                                out);
  if (!ran) {
    std::fprintf(stderr, "%s\n", ran.error().message.c_str());
    std::exit(1);
  }
  std::string bytes(static_cast<std::size_t>(lseek(out, 0, SEEK_END)), '\0');
  if (pread(out, bytes.data(), bytes.size(), 0) < 0) std::exit(1);
  close(out);
  return Must(assay::worker::EventParser().Feed(bytes));
}

void Sidecars(Bench& bench, int rounds) {
  std::map<std::string, std::vector<double>> times;
  auto launcher = SpawnLauncher(bench);
  assay::worker::CellWorkshop workshop(
      SpawnLauncher(bench), {.data_dir = bench.data(),
                             .image_dir = "",
                             .unpack_program = bench.bin() + "/assay-unpack",
                             .image_program = bench.bin() + "/assay-image",
                             .egress_program = bench.bin() + "/assay-egress"});
  for (const std::string kind : {"postgres", "redis"}) {
    const std::string suite = kHead +
                              ("sidecars: { side: { kind: " + kind +
                               ", reset: per-check } }\nchecks:\n") +
                              Check("a", 1) + Check("b", 1) + Check("c", 1);
    const auto plan = Bench::PlanOf(suite);
    // The first one prepares the template.
    bench.Run(suite);
    const auto cell =
        kind == "redis"
            ? Must(assay::sidecars::RedisBlueprint(plan.sidecars(0)))
            : Must(assay::sidecars::PostgresBlueprint(
                  plan.sidecars(0),
                  Must(assay::sidecars::EnsurePostgresTemplate(
                      launcher, bench.data() + "/templates", plan,
                      plan.sidecars(0)))));
    for (int i = 0; i < rounds; ++i) {
      times[kind + "_ready"].push_back(ReadyTime(launcher, cell));
      RunIn(workshop, bench, plan);
      workshop.PrepareAhead();
      // As long as nobody pushes; nothing says when the server is ready.
      usleep(300'000);
      const auto events = RunIn(workshop, bench, plan);
      times[kind + "_ahead"].push_back(PhaseTime(events, "sidecars"));
      for (const RunEvent& event : events) {
        for (const auto& span : event.spans().spans()) {
          if (span.name() != "reset side") continue;
          times[kind + "_reset"].push_back(
              static_cast<double>(span.end_time_unix_nano() -
                                  span.start_time_unix_nano()) /
              1e6);
        }
      }
    }
  }
  for (const auto& [name, values] : times) {
    std::printf("%s %.3f\n", name.c_str(), Median(values));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: suite_bench BIN_DIR SERVER_PY ROUNDS\n");
    return 2;
  }
  Bench bench(argv[1], argv[2]);
  const int rounds = std::atoi(argv[3]);
  Steps(bench, rounds);
  Sidecars(bench, rounds);
  return 0;
}
