#ifndef ASSAY_SERVICES_COORDINATOR_DATA_DIRECTORY_H_
#define ASSAY_SERVICES_COORDINATOR_DATA_DIRECTORY_H_

#include <filesystem>
#include <memory>

#include "proto/base/error.h"

namespace assay::coordinator {

// One assayd's data, locked for as long as this lives.
class DataDirectory {
 public:
  // Makes what is absent. kFailedPrecondition: another process has it;
  // kUnavailable: it cannot be made or written.
  static Expected<std::unique_ptr<DataDirectory>> Open(
      std::filesystem::path path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path store_file() const { return path_ / "store.db"; }
  std::filesystem::path blobs() const { return path_ / "blobs"; }
  std::filesystem::path repositories() const { return path_ / "repositories"; }
  // What this coordinator is called among those that share its store.
  std::filesystem::path node_file() const { return path_ / "node"; }
  // What receipts are signed with.
  std::filesystem::path receipt_key() const { return path_ / "receipt.key"; }
  // What issues workers' certificates: its key and its own.
  std::filesystem::path worker_authority() const {
    return path_ / "worker-authority.pem";
  }
  // Git's hook.
  std::filesystem::path hooks() const { return path_ / "hooks"; }
  // Bodies of pushes while they are read; on the repositories' disk.
  std::filesystem::path spool() const { return path_ / "spool"; }

 private:
  DataDirectory(std::filesystem::path path, int lock);

  const std::filesystem::path path_;
  const int lock_;
};

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_DATA_DIRECTORY_H_
