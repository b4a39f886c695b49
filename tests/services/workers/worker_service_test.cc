#include "services/workers/worker_service.h"

#include <gmock/gmock.h>

#include "services/workers/worker_book.h"
#include "tests/services/installation/installation.h"

namespace assay::workers {
namespace {

using testing::FailsWith;
using testing::Installation;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

class WorkerServiceTest : public testing::ServiceTest {
 protected:
  WorkerServiceTest() {
    for (const char* name : {"builder-2", "builder-1"}) {
      storage::WorkerRecord said;
      said.name = name;
      said.version = "1.2";
      said.cores = 8;
      said.memory_bytes = std::int64_t{16} << 30;
      said.attach_time = assay_.clock.Now();
      EXPECT_TRUE(assay_
                      .Write([said](storage::Transaction& tx) {
                        return tx.workers.Attach(said);
                      })
                      .has_value());
    }
  }

  template <class Response, class Request>
  Expected<Response> Call(const std::string& method, const Request& request,
                          v1::Role role = v1::ROLE_ADMIN) {
    return assay_.Call<Response>(Installation::As(role),
                                 "WorkerService/" + method, request);
  }
  Expected<v1::DrainWorkerResponse> Drain(const std::string& name,
                                          const std::string& reason = "") {
    v1::DrainWorkerRequest request;
    request.set_name(name);
    request.set_reason(reason);
    return Call<v1::DrainWorkerResponse>("DrainWorker", request);
  }
  Expected<v1::ResumeWorkerResponse> Resume(const std::string& name) {
    v1::ResumeWorkerRequest request;
    request.set_name(name);
    return Call<v1::ResumeWorkerResponse>("ResumeWorker", request);
  }
  Expected<v1::ForgetWorkerResponse> Forget(const std::string& name) {
    v1::ForgetWorkerRequest request;
    request.set_name(name);
    return Call<v1::ForgetWorkerResponse>("ForgetWorker", request);
  }
  v1::ListWorkersResponse List() {
    return *Call<v1::ListWorkersResponse>(
        "ListWorkers", v1::ListWorkersRequest(), v1::ROLE_OBSERVER);
  }
};

TEST_F(WorkerServiceTest, ListsWhoIsThereAndWhoWas) {
  assay_.attached_workers = {{"builder-2", 4, 1}, {"builder-2", 2, 2}};
  const auto list = List();
  ASSERT_THAT(list.workers(), SizeIs(2));
  EXPECT_EQ(list.workers(0).name(), "workers/builder-1");
  EXPECT_FALSE(list.workers(0).attached());
  EXPECT_TRUE(list.workers(1).attached());
  EXPECT_EQ(list.workers(1).slots(), 6);
  EXPECT_EQ(list.workers(1).busy(), 3);
  EXPECT_EQ(list.workers(1).cores(), 8);
  EXPECT_EQ(list.workers(1).version(), "1.2");
  EXPECT_EQ(list.workers(1).state(), v1::Worker::STATE_ACTIVE);
}

TEST_F(WorkerServiceTest, DrainsAndResumesWithARecordOfWhoDidIt) {
  const auto drained = Drain("workers/builder-1", "new kernel");
  ASSERT_THAT(drained, IsOk());
  EXPECT_EQ(drained->worker().state(), v1::Worker::STATE_DRAINED);
  EXPECT_EQ(drained->worker().reason(), "new kernel");
  EXPECT_FALSE(drained->worker().actor().empty());
  ASSERT_THAT(assay_.changed_workers, SizeIs(1));
  EXPECT_EQ(assay_.changed_workers.back().state, v1::Worker::STATE_DRAINED);
  // A repeat keeps the first one's reason.
  EXPECT_EQ(Drain("workers/builder-1", "other")->worker().reason(),
            "new kernel");

  const auto resumed = Resume("workers/builder-1");
  ASSERT_THAT(resumed, IsOk());
  EXPECT_EQ(resumed->worker().state(), v1::Worker::STATE_ACTIVE);
  EXPECT_THAT(resumed->worker().reason(), IsEmpty());
  const auto audit = *assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); });
  ASSERT_GE(audit.size(), 2U);
  EXPECT_EQ(audit[audit.size() - 2].action, "worker.drain");
  EXPECT_EQ(audit[audit.size() - 2].detail, "new kernel");
  EXPECT_EQ(audit.back().action, "worker.resume");
  EXPECT_EQ(audit.back().subject, "workers/builder-1");
}

TEST_F(WorkerServiceTest, ResumingForgivesFaults) {
  for (const char* run : {"run_1", "run_2"})
    ASSERT_THAT(assay_.Write([this, run](storage::Transaction& tx) {
      return tx.workers.AddFault("builder-1", RunId(run), "no disk",
                                 assay_.clock.Now());
    }),
                IsOk());
  EXPECT_EQ(List().workers(0).fault_count(), 2);
  EXPECT_EQ(List().workers(0).last_fault(), "no disk");
  EXPECT_EQ(Resume("workers/builder-1")->worker().fault_count(), 0);
}

TEST_F(WorkerServiceTest, ForgetsOnlyWhoIsGone) {
  assay_.attached_workers = {{"builder-2", 4, 1}};
  EXPECT_THAT(Forget("workers/builder-2"),
              FailsWith(Code::kFailedPrecondition, "is attached"));
  ASSERT_THAT(Forget("workers/builder-1"), IsOk());
  EXPECT_THAT(List().workers(), SizeIs(1));
}

// This one speaks no TLS; a neighbour over the same store did.
TEST_F(WorkerServiceTest, RevokesWhatAnotherCoordinatorHasIssued) {
  v1::RevokeWorkerRequest request;
  request.set_name("workers/builder-1");
  const auto revoke = [&] {
    return Call<v1::RevokeWorkerResponse>("RevokeWorker", request);
  };
  EXPECT_THAT(revoke(), FailsWith(Code::kNotFound, "no certificate"));
  ASSERT_THAT(assay_.Write([this](storage::Transaction& tx) {
    return tx.enrolments.AddCertificate(
        {.fingerprint = std::string(64, 'a'),
         .worker = "builder-1",
         .create_time = assay_.clock.Now(),
         .expire_time = assay_.clock.Now() + std::chrono::hours(1)});
  }),
              IsOk());
  EXPECT_THAT(revoke(), IsOk());
  EXPECT_TRUE(assay_
                  .Read([](storage::Transaction& tx) {
                    return tx.enrolments.GetCertificate(std::string(64, 'a'));
                  })
                  ->revoke_time);
}

TEST_F(WorkerServiceTest, SaysWhatIsWrong) {
  EXPECT_THAT(Drain("workers/nobody"),
              FailsWith(Code::kNotFound, "assay worker list"));
  EXPECT_THAT(Resume("workers/nobody"), FailsWith(Code::kNotFound, "nobody"));
  EXPECT_THAT(Forget("workers/nobody"), FailsWith(Code::kNotFound, "nobody"));
  EXPECT_THAT(Drain("nobody"), FailsWith(Code::kInvalidArgument, "workers/"));
  EXPECT_THAT(Drain("workers/builder-1", std::string(501, 'x')),
              FailsWith(Code::kInvalidArgument, "501 bytes"));
}

TEST(WorkerNameTest, AreWhatHostsAreCalled) {
  for (const char* good : {"a", "host.example", "Build_2", "x-1"})
    EXPECT_TRUE(IsWorkerName(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("two words"), std::string("-x"),
        std::string(".x"), std::string("a/b"), std::string(64, 'a'),
        std::string("\xc3\xa9")})
    EXPECT_FALSE(IsWorkerName(bad)) << bad;
}

}  // namespace
}  // namespace assay::workers
