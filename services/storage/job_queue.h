#ifndef ASSAY_SERVICES_STORAGE_JOB_QUEUE_H_
#define ASSAY_SERVICES_STORAGE_JOB_QUEUE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace assay::storage {

// Closures that wait for a storage thread. Closing lets the threads finish what
// is queued and refuses what comes after.
//
// Threads: any.
template <class Job>
class JobQueue {
 public:
  // False after Close, with `job` as it was.
  bool Push(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      jobs_.push_back(std::move(job));
    }
    ready_.notify_one();
    return true;
  }

  // Waits for jobs and takes up to `limit`. Empty: closed, and all done.
  std::vector<Job> Take(std::size_t limit) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    return TakeLocked(limit);
  }
  // Takes up to `limit` that are there now.
  std::vector<Job> TakeQueued(std::size_t limit) {
    const std::lock_guard lock(mutex_);
    return TakeLocked(limit);
  }

  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
    closing_.notify_all();
  }

  // Lets `time` pass; false at once when the queue is closed.
  bool Pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !closing_.wait_for(lock, time, [this] { return closed_; });
  }

 private:
  std::vector<Job> TakeLocked(std::size_t limit) {
    std::vector<Job> taken;
    while (!jobs_.empty() && taken.size() < limit) {
      taken.push_back(std::move(jobs_.front()));
      jobs_.pop_front();
    }
    return taken;
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable closing_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_JOB_QUEUE_H_
