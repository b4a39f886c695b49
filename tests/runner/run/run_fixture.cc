#include "tests/runner/run/run_fixture.h"

#include <fcntl.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "proto/base/digest.h"
#include "runner/sidecars/blueprints.h"
#include "runner/sidecars/postgres_template.h"
#include "runner/suite/compiler.h"
#include "runner/worker/session_draft.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::tests {

using plan::v1::Plan;
using runner::v1::RunInput;
using sandbox::UniqueFd;

std::unique_ptr<sandbox::Launcher> RunFixture::launcher_;
std::string RunFixture::directory_;

namespace {

std::string Program(const std::string& name) {
  const char* bin = std::getenv("ASSAY_BIN_DIR");
  return std::string(bin ? bin : "build/dev/bin") + "/" + name;
}

UniqueFd Memory(const std::string& bytes) {
  UniqueFd fd(memfd_create("test", 0));
  EXPECT_EQ(write(fd.get(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  return fd;
}

UniqueFd Archive(const std::map<std::string, std::string>& tree) {
  UniqueFd fd(memfd_create("tree", 0));
  sandbox::TreeArchiveWriter writer(fd.get());
  for (const auto& [path, content] : tree) {
    EXPECT_TRUE(writer.AddFile(path, content, content.starts_with("#!")));
  }
  EXPECT_TRUE(writer.Finish());
  return fd;
}

}  // namespace

std::string SecretOf(const std::string& name) { return Sha256Hex(name); }

const v1::RunEvent::Finished& Told::finished() const {
  static const v1::RunEvent::Finished kNone;
  return events.empty() ? kNone : events.back().finished();
}

v1::CheckResult Told::Check(const std::string& id) const {
  for (const auto& event : events) {
    if (event.check_finished().result().check_id() == id) {
      return event.check_finished().result();
    }
  }
  return {};
}

std::string Told::Log(const std::string& stream) const {
  std::string text;
  for (const auto& event : events) {
    if (event.log().stream() == stream) text += event.log().content();
  }
  return text;
}

std::string Told::Phase(const std::string& phase) const {
  for (const auto& event : events) {
    if (event.phase_finished().phase() == phase) {
      return event.phase_finished().reason();
    }
  }
  return "(never)";
}

std::vector<otlp::v1::Span> Told::Spans() const {
  std::vector<otlp::v1::Span> all;
  for (const auto& event : events) {
    for (const auto& span : event.spans().spans()) all.push_back(span);
  }
  return all;
}

std::vector<otlp::v1::Span> Told::Spans(const std::string& name) const {
  std::vector<otlp::v1::Span> found;
  for (const auto& span : Spans()) {
    if (span.name() == name) found.push_back(span);
  }
  return found;
}

std::string Told::Everything() const {
  std::string all;
  for (const auto& event : events) all += event.SerializeAsString();
  return all;
}

std::string Attribute(const otlp::v1::Span& span, const std::string& key) {
  for (const auto& pair : span.attributes()) {
    if (pair.key() == key) return pair.value().string_value();
  }
  return "";
}

void RunFixture::SetUpTestSuite() {
  auto launcher = sandbox::Launcher::Spawn(Program("assay-launcher"));
  ASSERT_TRUE(launcher.has_value()) << launcher.error();
  launcher_ = std::make_unique<sandbox::Launcher>(*std::move(launcher));
  directory_ =
      (std::filesystem::temp_directory_path() / "assay-run-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory_.data()), nullptr);
}

void RunFixture::TearDownTestSuite() {
  launcher_.reset();
  std::filesystem::remove_all(directory_);
}

Expected<sandbox::CellSpec> RunFixture::Blueprint(
    const Plan& plan, const plan::v1::Sidecar& sidecar) {
  if (sidecar.kind() == plan::v1::Sidecar::KIND_REDIS) {
    return sidecars::RedisBlueprint(sidecar);
  }
  ASSAY_ASSIGN_OR_RETURN(const std::string data,
                         sidecars::EnsurePostgresTemplate(
                             *launcher_, directory_ + "/cache", plan, sidecar));
  ASSAY_ASSIGN_OR_RETURN(sandbox::CellSpec cell,
                         sidecars::PostgresBlueprint(sidecar, data));
  if (log_statements_) {
    for (const std::string setting :
         {"log_statement=all", "log_destination=stderr"}) {
      cell.processes[0].arguments.insert(cell.processes[0].arguments.end(),
                                         {"-c", setting});
    }
    cell.processes[0].arguments.insert(
        cell.processes[0].arguments.end(),
        {"-c", std::string("log_line_prefix=") + kPrefix});
  }
  return cell;
}

Told RunFixture::Run(const Files& suite_files, const Files& tree,
                     void (*change)(RunInput&)) {
  Told told;
  auto compiled = suite::Compile(suite_files);
  if (!compiled) {
    ADD_FAILURE() << suite::ToText(compiled.error());
    return told;
  }
  RunInput input;
  *input.mutable_plan() = compiled->plan;
  const Plan& plan = input.plan();
  input.set_run("runs/test");
  input.set_epoch(3);
  input.set_seed(7);
  input.set_traceparent(
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  for (const auto& secret : plan.secrets()) {
    (*input.mutable_secrets())[secret.name()] = SecretOf(secret.name());
  }

  const std::map<std::string, std::string> secrets(input.secrets().begin(),
                                                   input.secrets().end());
  const UniqueFd archive = Archive(tree);
  std::vector<sandbox::CellSpec> sidecars;
  for (const auto& sidecar : plan.sidecars()) {
    auto cell = Blueprint(plan, sidecar);
    if (!cell) {
      ADD_FAILURE() << cell.error();
      return told;
    }
    sidecars.push_back(*std::move(cell));
  }
  const auto draft = worker::DraftSession({.plan = plan,
                                           .secrets = secrets,
                                           .seed = input.seed(),
                                           .archive_fd = archive.get(),
                                           .sidecars = sidecars});
  if (!draft) {
    ADD_FAILURE() << draft.error();
    return told;
  }
  *input.mutable_blueprints() = draft->blueprints;
  if (change != nullptr) change(input);

  const auto begin = std::chrono::steady_clock::now();
  auto session = launcher_->CreateSession(draft->spec);
  if (!session) {
    ADD_FAILURE() << session.error();
    return told;
  }
  const UniqueFd memory = Memory(input.SerializeAsString());
  std::array<int, 2> report{};
  EXPECT_EQ(pipe2(report.data(), O_CLOEXEC), 0);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, memory.get(), 103);
  posix_spawn_file_actions_adddup2(&actions, session->get(), 104);
  posix_spawn_file_actions_adddup2(&actions, report[1], 105);
  const std::string program = Program("assay-run");
  std::array<const char*, 8> argv = {
      program.c_str(), "--input-fd",  "103", "--session-fd",
      "104",           "--report-fd", "105", nullptr};
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr,
                        const_cast<char**>(argv.data()), environ),
            0);
  posix_spawn_file_actions_destroy(&actions);
  close(report[1]);
  session->Reset();

  google::protobuf::io::FileInputStream in(report[0]);
  bool clean_end = false;
  v1::RunEvent event;
  while (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&event, &in,
                                                                  &clean_end)) {
    told.events.push_back(std::exchange(event, {}));
    if (told.events.back().has_finished()) {
      told.took = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - begin);
    }
  }
  EXPECT_TRUE(clean_end) << "the events were cut off";
  close(report[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  told.exit_code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  EXPECT_EQ(told.exit_code, 0);
  return told;
}

}  // namespace assay::tests
