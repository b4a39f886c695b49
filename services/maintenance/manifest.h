#ifndef ASSAY_SERVICES_MAINTENANCE_MANIFEST_H_
#define ASSAY_SERVICES_MAINTENANCE_MANIFEST_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "proto/base/error.h"

namespace assay::maintenance {

// What a backup consists of: a text file, `manifest`, with a first line that
// names the format and then a line a file: SHA-256, bytes, path. A backup
// without one was cut off.
class Manifest {
 public:
  struct Entry {
    std::string digest;
    std::int64_t bytes = 0;
  };

  static constexpr char kFileName[] = "manifest";

  // kNotFound: no backup is there. kDataLoss: the file makes no sense.
  static Expected<Manifest> Read(const std::filesystem::path& backup);
  Status Write(const std::filesystem::path& backup) const;

  // `path` is relative to the backup.
  void Add(const std::string& path, Entry entry) { entries_[path] = entry; }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  std::int64_t bytes() const;

 private:
  std::map<std::string, Entry> entries_;
};

// Copies a file, mode 0600, and flushes it; answers with what was copied.
// kNotFound: `from` is gone.
Expected<Manifest::Entry> CopyFile(const std::filesystem::path& from,
                                   const std::filesystem::path& to);

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_MANIFEST_H_
