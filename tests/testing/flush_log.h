#ifndef ASSAY_TESTS_TESTING_FLUSH_LOG_H_
#define ASSAY_TESTS_TESTING_FLUSH_LOG_H_

#include <filesystem>

namespace assay::testing {

// Notes what this process flushes to its disk while this lives, by fsync or
// fdatasync, of libraries too. One at a time. Threads: any may flush.
class FlushLog {
 public:
  FlushLog();
  ~FlushLog();
  FlushLog(const FlushLog&) = delete;
  FlushLog& operator=(const FlushLog&) = delete;

  // Whether `file` was flushed, under whatever name, when it had all the bytes
  // that it has now.
  bool HasContent(const std::filesystem::path& file) const;
  // Whether the directory of `path` was flushed when this name was in it.
  bool HasName(const std::filesystem::path& path) const;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_TESTING_FLUSH_LOG_H_
