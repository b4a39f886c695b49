// Notes between coordinators, and the clock that they share.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "services/storage/bulletin.h"
#include "tests/services/storage/postgres_fixture.h"

namespace assay::storage {
namespace {

// What a bulletin was told, for a test that waits for it.
class Ear {
 public:
  explicit Ear(Bulletin& bulletin) : bulletin_(bulletin) {
    bulletin_.Listen([this](const std::vector<std::string>& notes) {
      const std::lock_guard lock(mutex_);
      if (notes.empty()) ++reconnects_;
      heard_.insert(heard_.end(), notes.begin(), notes.end());
      changed_.notify_all();
    });
  }
  ~Ear() { bulletin_.Listen(nullptr); }
  bool WaitFor(const std::string& note) {
    return Wait([&] { return std::ranges::count(heard_, note) > 0; });
  }
  bool WaitForReconnect() {
    return Wait([&] { return reconnects_ > 0; });
  }
  std::ptrdiff_t Count(const std::string& note) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(heard_, note);
  }

 private:
  template <class Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), condition);
  }

  Bulletin& bulletin_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> heard_;
  int reconnects_ = 0;
};

TEST_P(PostgresTest, ANoteReachesTheOthersAndNotItsSender) {
  const auto a = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto b = OpenPostgres(dsn_, {.bulletin = true}).value();
  Ear at_a(*a->bulletin()), at_b(*b->bulletin());
  a->bulletin()->Post("r/run_1");
  EXPECT_TRUE(at_b.WaitFor("r/run_1"));
  b->bulletin()->Post("done");
  EXPECT_TRUE(at_a.WaitFor("done"));
  EXPECT_EQ(at_a.Count("r/run_1"), 0);
}

TEST_P(PostgresTest, NotesThatComeTogetherAreSentAsOne) {
  const auto a = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto b = OpenPostgres(dsn_, {.bulletin = true}).value();
  Ear at_b(*b->bulletin());
  // More than one message holds, and each of them many times.
  for (int i = 0; i < 20'000; ++i)
    a->bulletin()->Post("r/run_" + std::to_string(i % 1'000));
  a->bulletin()->Post("zzz");
  EXPECT_TRUE(at_b.WaitFor("zzz"));
  EXPECT_TRUE(at_b.WaitFor("r/run_999"));
  EXPECT_LT(at_b.Count("r/run_7"), 20);
}

TEST_P(PostgresTest, ABulletinComesBackAndSaysThatItWasAway) {
  const auto a = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto b = OpenPostgres(dsn_, {.bulletin = true}).value();
  Ear at_b(*b->bulletin());
  EndConnections(*Connect());
  EXPECT_TRUE(at_b.WaitForReconnect());
  a->bulletin()->Post("after");
  EXPECT_TRUE(at_b.WaitFor("after"));
}

TEST_P(PostgresTest, TheServersClockIsWhatCounts) {
  const auto store = OpenPostgres(dsn_, {.bulletin = true}).value();
  const auto server = Connect();
  const auto ask = [&] {
    return FromMicros(server
                          ->Execute("SELECT (EXTRACT(EPOCH FROM "
                                    "clock_timestamp()) * 1000000)::BIGINT")
                          ->rows[0]
                          .Int(0));
  };
  const auto before = ask();
  const auto ours = store->bulletin()->clock().Now();
  const auto after = ask();
  constexpr std::chrono::milliseconds kExact{1'000};  // of a busy machine
  EXPECT_GT(ours, before - kExact);
  EXPECT_LT(ours, after + kExact);
}

}  // namespace
}  // namespace assay::storage
