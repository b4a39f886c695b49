#include "services/metrics/metrics_page.h"

#include <gmock/gmock.h>

#include <map>

#include "services/runs/placement.h"
#include "tests/services/installation/installation.h"

namespace assay::metrics {
namespace {

using ::testing::HasSubstr;
using testing::Installation;
using testing::IsOk;
using ::testing::Not;

// A request for a page, and what was answered.
class FakeExchange final : public gateway::HttpExchange {
 public:
  FakeExchange(std::string path, std::string authorization) {
    request_.method = "GET";
    request_.path = std::move(path);
    if (!authorization.empty())
      request_.fields.emplace_back("Authorization", std::move(authorization));
  }
  const gateway::HttpRequest& request() const override { return request_; }
  gateway::Async<std::size_t> ReadSome(std::span<char>) override {
    co_return 0;
  }
  gateway::Async<void> Respond(gateway::HttpResponse response) override {
    answer = std::move(response);
    co_return Status();
  }
  gateway::Async<void> StartResponse(int, gateway::HeaderFields) override {
    co_return Status();
  }
  gateway::Async<void> Write(std::string) override { co_return Status(); }
  gateway::Async<void> Finish() override { co_return Status(); }
  gateway::Async<void> WaitForClose() override { co_return Status(); }

  void SetMethod(const std::string& method) { request_.method = method; }
  std::string Field(const std::string& name) const {
    for (const auto& [key, value] : answer.fields)
      if (key == name) return value;
    return {};
  }

  gateway::HttpResponse answer;

 private:
  gateway::HttpRequest request_;
};

class MetricsPageTest : public testing::ServiceTest {
 protected:
  std::string Render() { return *assay_.loop.Await(page_.Render()); }
  void Ask(FakeExchange& exchange) {
    assay_.loop.Await(
        [](MetricsPage* page, FakeExchange* to) -> storage::Async<void> {
          co_await page->Handle(*to);
          co_return Status();
        }(&page_, &exchange));
  }
  int StatusFor(const std::string& path, const std::string& token) {
    FakeExchange exchange(path, token);
    Ask(exchange);
    return exchange.answer.status;
  }

  dispatch::LeaseCounts leases_;
  std::vector<WorkerLoad> workers_;
  std::vector<storage::Needs> offers_;
  std::map<std::string, v1::Role> tokens_{{"staff", v1::ROLE_OBSERVER},
                                          {"worker", v1::ROLE_WORKER},
                                          {"candidate", v1::ROLE_CANDIDATE}};
  MetricsPage page_{*assay_.parts().store,
                    assay_.clock,
                    {.version = "1.2",
                     .leases = [this] { return leases_; },
                     .workers = [this] { return workers_; },
                     .offers = [this] { return offers_; },
                     .authenticate = [this](std::string header)
                         -> boost::asio::awaitable<Expected<rpc::Caller>> {
                       if (header == "outage")
                         co_return Unavailable("the store cannot be reached");
                       const auto it = tokens_.find(header);
                       if (it == tokens_.end())
                         co_return Unauthenticated("no such token");
                       co_return rpc::Caller{.role = it->second};
                     }}};
};

TEST_F(MetricsPageTest, TellsWhatWaitsAndForHowLong) {
  EXPECT_THAT(Render(), HasSubstr("\nassay_queue_runs{kind=\"push\"} 0\n"));
  EXPECT_THAT(Render(),
              HasSubstr("\nassay_queue_oldest_seconds{kind=\"push\"} 0\n"));
  assay_.MakeAssignment();
  assay_.Push(assay_.Begin(), 'a');
  assay_.Push(assay_.Begin(), 'b');
  assay_.clock.Advance(std::chrono::seconds(30));
  const std::string page = Render();
  EXPECT_THAT(page, HasSubstr("# TYPE assay_queue_runs gauge\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_queue_runs{kind=\"push\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_queue_runs{kind=\"final\"} 0\n"));
  EXPECT_THAT(page,
              HasSubstr("\nassay_queue_oldest_seconds{kind=\"push\"} 30\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_running_runs 0\n"));
  EXPECT_THAT(page, HasSubstr("assay_info{version=\"1.2\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nprocess_resident_memory_bytes "));
}

TEST_F(MetricsPageTest, TellsHowLateADeadlineIs) {
  assay_.MakeAssignment();
  const auto attempt = assay_.Begin();
  EXPECT_THAT(Render(), HasSubstr("\nassay_deadline_lag_seconds 0\n"));
  const auto cut_off = assay_.Read(
      [](storage::Transaction& tx) { return tx.gauges.NextCutOff(); });
  ASSERT_TRUE(cut_off->has_value());
  assay_.clock.Advance(std::chrono::duration_cast<std::chrono::microseconds>(
                           **cut_off - assay_.clock.Now()) +
                       std::chrono::seconds(7));
  EXPECT_THAT(Render(), HasSubstr("\nassay_deadline_lag_seconds 7\n"));
}

TEST_F(MetricsPageTest, TellsWhatBecameOfLeasesAndWhoWorks) {
  leases_ = {.granted = 9,
             .finished = 4,
             .expired = 2,
             .handed_back = 1,
             .overdue = 1};
  workers_ = {{"a", 4, 2, false}, {"b", 2, 0, true}};
  const std::string page = Render();
  EXPECT_THAT(page, HasSubstr("# TYPE assay_leases_granted_total counter\n"
                              "assay_leases_granted_total 9\n"));
  EXPECT_THAT(page,
              HasSubstr("\nassay_lease_losses_total{cause=\"expired\"} 2\n"));
  EXPECT_THAT(page,
              HasSubstr("\nassay_lease_losses_total{cause=\"overdue\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_workers{state=\"active\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_workers{state=\"held_back\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_worker_slots 4\n"));
  EXPECT_THAT(page, HasSubstr("\nassay_worker_slots_busy 2\n"));
}

TEST_F(MetricsPageTest, TellsWhatIsKnownOfItsParts) {
  EXPECT_THAT(Render(), Not(HasSubstr("assay_telemetry")));
  EXPECT_THAT(Render(), Not(HasSubstr("oldest_transaction")));
  std::optional<std::chrono::seconds> age;
  MetricsPage page(
      *assay_.parts().store, assay_.clock,
      {.version = "1.2",
       .leases = [] { return dispatch::LeaseCounts(); },
       .workers = [] { return std::vector<WorkerLoad>(); },
       .offers = [] { return std::vector<storage::Needs>(); },
       .authenticate = nullptr,
       .spans =
           [] { return SpanCounts{.exported = 5, .dropped = 2, .waiting = 1}; },
       .probe =
           [] {
             return ProbeCounts{.answered = 7, .silent = 1, .seconds = 0.25};
           },
       .oldest_transaction = [&] { return age; }});
  const std::string before = *assay_.loop.Await(page.Render());
  EXPECT_THAT(before, HasSubstr("\nassay_telemetry_spans_exported_total 5\n"));
  EXPECT_THAT(before, HasSubstr("\nassay_telemetry_spans_dropped_total 2\n"));
  EXPECT_THAT(before,
              HasSubstr("\nassay_grpc_probes_total{result=\"silent\"} 1\n"));
  EXPECT_THAT(before, HasSubstr("\nassay_grpc_probe_seconds 0.25\n"));
  EXPECT_THAT(before, Not(HasSubstr("oldest_transaction")));
  age = std::chrono::seconds(301);
  EXPECT_THAT(*assay_.loop.Await(page.Render()),
              HasSubstr("\nassay_store_oldest_transaction_seconds 301\n"));
}

TEST_F(MetricsPageTest, TellsOfRunsThatNoWorkerCanTake) {
  v1::AssignmentSpec spec = Installation::SomeSpec();
  spec.set_worker_pool("gpu");
  assay_.MakeAssignment(spec);
  assay_.Push(assay_.Begin(), 'a');
  EXPECT_THAT(Render(), HasSubstr("\nassay_queue_unplaceable_runs 1\n"));
  offers_ = {runs::Room().offer};
  EXPECT_THAT(Render(), HasSubstr("\nassay_queue_unplaceable_runs 1\n"));
  offers_.front().pool = "gpu";
  EXPECT_THAT(Render(), HasSubstr("\nassay_queue_unplaceable_runs 0\n"));
}

TEST_F(MetricsPageTest, IsForTheStaff) {
  FakeExchange exchange("/metrics", "staff");
  Ask(exchange);
  EXPECT_EQ(exchange.answer.status, 200);
  EXPECT_EQ(exchange.Field("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(exchange.answer.body, HasSubstr("assay_queue_runs"));
  for (const char* token : {"", "nobody"})
    EXPECT_EQ(StatusFor("/metrics", token), 401) << token;
  EXPECT_EQ(StatusFor("/metrics", "outage"), 503);
  for (const char* token : {"worker", "candidate"})
    EXPECT_EQ(StatusFor("/metrics", token), 403) << token;
  FakeExchange post("/metrics", "staff");
  post.SetMethod("POST");
  Ask(post);
  EXPECT_EQ(post.answer.status, 405);
}

TEST_F(MetricsPageTest, IsReadyWhileTheStoreAnswers) {
  EXPECT_EQ(StatusFor("/readyz", ""), 200);
}

}  // namespace
}  // namespace assay::metrics
