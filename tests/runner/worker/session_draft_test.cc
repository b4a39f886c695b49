#include "runner/worker/session_draft.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "runner/run/blueprint_layout.h"
#include "tests/testing/matchers.h"

namespace assay::worker {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

class SessionDraftTest : public ::testing::Test {
 protected:
  SessionDraftTest() {
    auto& limits = *plan_.mutable_limits();
    limits.set_memory_bytes(256 << 20);
    limits.set_pids(64);
    limits.set_cpus(1.5);
    limits.set_disk_bytes(128 << 20);
    limits.set_inodes(5'000);
    limits.mutable_build_timeout()->set_seconds(90);
    plan_.mutable_environment()->set_image("host");
    service_ = plan_.add_services();
    service_->set_name("service");
    service_->set_port(8080);
    service_->mutable_start()->set_run("./run.sh");
    auto& sidecar = *plan_.add_sidecars();
    sidecar.set_name("db");
    sidecar.set_kind(plan::v1::Sidecar::KIND_POSTGRES);
    sidecar.set_port(5432);
  }

  Expected<SessionDraft> Draft() {
    return DraftSession({.plan = plan_,
                         .secrets = secrets_,
                         .seed = 7,
                         .archive_fd = 11,
                         .image = image_,
                         .egress = egress_,
                         .sidecars = {{.name = "sidecar:db"}},
                         .sidecars_run = sidecars_run_});
  }

  plan::v1::Plan plan_;
  plan::v1::Service* service_;
  bool sidecars_run_ = false;
  sandbox::ImageRoot image_;
  std::vector<sandbox::Destination> egress_;
  std::map<std::string, std::string> secrets_{{"key", "s3cret"}};
};

TEST_F(SessionDraftTest, EveryPartOfThePlanHasItsCell) {
  auto* second = plan_.add_services();
  second->set_name("worker");
  second->set_port(8081);
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  const auto& cells = draft->spec.cells;
  ASSERT_THAT(cells, SizeIs(4));
  EXPECT_EQ(cells[draft->blueprints.build()].name, "build");
  ASSERT_EQ(draft->blueprints.services_size(), 2);
  EXPECT_EQ(cells[draft->blueprints.services(0)].name, "service:service");
  EXPECT_EQ(cells[draft->blueprints.services(1)].name, "service:worker");
  ASSERT_EQ(draft->blueprints.sidecars_size(), 1);
  EXPECT_EQ(cells[draft->blueprints.sidecars(0)].name, "sidecar:db");
}

TEST_F(SessionDraftTest, SidecarsThatRunAlreadyAreNotMadeAheadAgain) {
  for (const bool run : {false, true}) {
    sidecars_run_ = run;
    const auto draft = Draft();
    ASSERT_THAT(draft, IsOk());
    const auto& sidecar = draft->spec.cells[draft->blueprints.sidecars(0)];
    EXPECT_EQ(sidecar.expected_starts, run ? 0 : 1);
  }
}

TEST_F(SessionDraftTest, BuildAndServiceShareTheWorkVolumeUnderThePlansLimits) {
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  ASSERT_THAT(draft->spec.volumes, SizeIs(1));
  EXPECT_EQ(draft->spec.volumes[0].bytes, 128 << 20);
  EXPECT_EQ(draft->spec.volumes[0].inodes, 5'000);
  for (const int index :
       {draft->blueprints.build(), draft->blueprints.services(0)}) {
    const auto& cell = draft->spec.cells[index];
    ASSERT_THAT(cell.mounts, SizeIs(1));
    const auto& mount = std::get<sandbox::VolumeMount>(cell.mounts[0]);
    EXPECT_EQ(mount.volume, 0u);
    EXPECT_EQ(mount.target, "/work");
    EXPECT_EQ(cell.limits.memory_bytes, 256 << 20);
    EXPECT_EQ(cell.limits.pids, 64);
    EXPECT_EQ(cell.limits.cores, 1.5);
  }
}

TEST_F(SessionDraftTest, TheBuildCellUnpacksAndThenBuildsWithALimit) {
  service_->mutable_build()->set_run("make");
  service_->mutable_build()->set_directory("src/api");
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  const auto& processes =
      draft->spec.cells[draft->blueprints.build()].processes;
  ASSERT_THAT(processes, SizeIs(2));
  const auto& unpack = processes[run::kUnpackProcess];
  ASSERT_TRUE(unpack.unpack.has_value());
  EXPECT_EQ(unpack.unpack->archive_fd, 11);
  EXPECT_EQ(unpack.unpack->directory, "/work");
  const auto& build = processes[run::kFirstBuildProcess];
  EXPECT_THAT(build.arguments, ElementsAre("/bin/sh", "-c", "make"));
  EXPECT_EQ(build.working_directory, "/work/src/api");
  EXPECT_EQ(build.wall_limit, std::chrono::seconds(90));

  service_->mutable_build()->mutable_timeout()->set_seconds(5);
  EXPECT_EQ(Draft()
                ->spec.cells[draft->blueprints.build()]
                .processes[run::kFirstBuildProcess]
                .wall_limit,
            std::chrono::seconds(5));
}

TEST_F(SessionDraftTest, TheServiceRunsWithoutAWallLimit) {
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  const auto& start = draft->spec.cells[draft->blueprints.services(0)]
                          .processes[run::kServiceProcess];
  EXPECT_THAT(start.arguments, ElementsAre("/bin/sh", "-c", "./run.sh"));
  EXPECT_EQ(start.wall_limit, std::chrono::nanoseconds(0));
}

TEST_F(SessionDraftTest, EnvironmentTemplatesAreExpanded) {
  auto& env = *service_->mutable_start()->mutable_env();
  env["PORT"] = "{{port}}";
  env["DATABASE_URL"] = "{{sidecars.db.url}}";
  env["DATABASE_HOST"] = "{{sidecars.db.host}}:{{sidecars.db.port}}";
  env["KEY"] = "x-{{secrets.key}}";
  env["SEED"] = "{{run.seed}}";
  env["HOME"] = "/work";
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  const auto& environment = draft->spec.cells[draft->blueprints.services(0)]
                                .processes[run::kServiceProcess]
                                .environment;
  EXPECT_THAT(
      environment,
      IsSupersetOf({"PORT=8080",
                    "DATABASE_URL=postgresql://app:app@127.0.0.1:5432/app",
                    "DATABASE_HOST=127.0.0.1:5432", "KEY=x-s3cret", "SEED=7"}));
  // The last one of a name counts.
  const auto ours = std::ranges::find(environment, "HOME=/tmp");
  const auto theirs = std::ranges::find(environment, "HOME=/work");
  ASSERT_NE(theirs, environment.end());
  EXPECT_LT(ours, theirs);
}

TEST_F(SessionDraftTest, AnUnknownTemplateNamesItsVariable) {
  (*service_->mutable_start()->mutable_env())["KEY"] = "{{secrets.nope}}";
  EXPECT_THAT(Draft(), FailsWith(Code::kNotFound,
                                 "environment variable KEY of the start"));
}

TEST_F(SessionDraftTest, ADirectoryOutsideIsRefused) {
  service_->mutable_start()->set_directory("../etc");
  EXPECT_THAT(Draft(), FailsWith(Code::kInvalidArgument, "../etc"));
}

TEST_F(SessionDraftTest, AnImageIsTheRootOfTheCandidatesCells) {
  plan_.mutable_environment()->set_image("oci:python");
  EXPECT_THAT(Draft(), FailsWith(Code::kInternal, "oci:python"));
  image_ = {.directory = "/cache/root", .environment = {"JAVA_HOME=/j"}};
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  for (const int index :
       {draft->blueprints.build(), draft->blueprints.services(0)}) {
    const auto* root =
        std::get_if<sandbox::DirectoryRoot>(&draft->spec.cells[index].root);
    ASSERT_NE(root, nullptr);
    EXPECT_EQ(root->path, "/cache/root");
  }
  const auto& sidecar = draft->spec.cells[draft->blueprints.sidecars(0)];
  EXPECT_TRUE(std::holds_alternative<sandbox::HostRoot>(sidecar.root));
  const auto& service = draft->spec.cells[draft->blueprints.services(0)];
  EXPECT_THAT(service.processes[0].environment, Contains("JAVA_HOME=/j"));
}

TEST_F(SessionDraftTest, OnlyTheBuildIsToldOfTheProxy) {
  service_->mutable_build()->set_run("npm ci");
  egress_ = {*sandbox::ParseDestination("registry.example.org:443")};
  const auto draft = Draft();
  ASSERT_THAT(draft, IsOk());
  const auto& build = draft->spec.cells[draft->blueprints.build()];
  const auto& service = draft->spec.cells[draft->blueprints.services(0)];
  const std::string line = "https_proxy=http://127.0.0.1:3128";
  EXPECT_THAT(build.processes[run::kFirstBuildProcess].environment,
              Contains(line));
  EXPECT_THAT(service.processes[0].environment, ::testing::Not(Contains(line)));
  EXPECT_EQ(build.limits.scratch_bytes, 128 << 20);
}

}  // namespace
}  // namespace assay::worker
