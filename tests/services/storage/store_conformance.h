#ifndef ASSAY_TESTS_SERVICES_STORAGE_STORE_CONFORMANCE_H_
#define ASSAY_TESTS_SERVICES_STORAGE_STORE_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "proto/base/error.h"
#include "services/storage/store.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::storage {

// A kind of store that the conformance suite runs on. `open` may be called
// again on the same directory and finds there what was committed.
struct StoreKind {
  std::string name;
  std::function<Expected<std::unique_ptr<Store>>(
      const std::filesystem::path& directory)>
      open;

  friend std::ostream& operator<<(std::ostream& out, const StoreKind& kind) {
    return out << kind.name;
  }
};

// SQLite, and PostgreSQL where HavePostgres.
std::vector<StoreKind> StoreKinds();

// An open store with an assignment and a started attempt in it.
class StoreConformanceTest : public ::testing::TestWithParam<StoreKind> {
 public:
  static AssignmentRecord SomeAssignment();
  static AttemptRecord SomeAttempt();

 protected:
  StoreConformanceTest();

  // Closes the store and opens it again.
  void Reopen();

  template <class Closure>
  auto Write(Closure closure) {
    return loop_.Await(store_->Write(std::move(closure)));
  }
  template <class Closure>
  auto Read(Closure closure) {
    return loop_.Await(store_->Read(std::move(closure)));
  }

  // A run that is ready to be queued.
  RunRecord NewRun(v1::Run::Kind kind);
  // Queues it, and answers with its id.
  RunId Enqueue(v1::Run::Kind kind);
  RunRecord Get(const RunId& run);
  std::optional<RunRecord> Take(const std::string& worker = "w1");

  testing::TemporaryDirectory directory_;
  testing::EventLoop loop_;
  testing::ManualClock clock_;
  std::unique_ptr<Store> store_;
  int runs_ = 0;
};

inline constexpr std::chrono::microseconds kTtl = std::chrono::seconds(10);

}  // namespace assay::storage

#endif  // ASSAY_TESTS_SERVICES_STORAGE_STORE_CONFORMANCE_H_
