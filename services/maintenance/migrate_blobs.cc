#include "services/maintenance/migrate_blobs.h"

#include <chrono>
#include <memory>
#include <vector>

#include "services/coordinator/data_directory.h"
#include "services/maintenance/await_blobs.h"
#include "services/storage/blobs/open_blobs.h"

namespace assay::maintenance {
namespace {

using std::chrono::steady_clock;
using storage::BlobStore;

constexpr auto kBetweenWords = std::chrono::seconds(1);

Expected<std::vector<std::string>> ListAll(BlobStore& from) {
  std::vector<std::string> all;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page,
        AwaitBlobs(from.List(all.empty() ? std::string() : all.back())));
    if (page.empty()) return all;
    all.insert(all.end(), page.begin(), page.end());
  }
}

Status CopyOne(BlobStore& from, BlobStore& to, const std::string& digest,
               MovedBlobs& report) {
  const auto there = AwaitBlobs(to.Get(digest));
  if (there) {
    ++report.present;
    return {};
  }
  if (there.error().code == Code::kUnavailable)
    return std::unexpected(there.error());
  ASSAY_ASSIGN_OR_RETURN(std::string content, AwaitBlobs(from.Get(digest)));
  report.bytes += static_cast<std::int64_t>(content.size());
  ASSAY_RETURN_IF_ERROR(AwaitBlobs(to.Put(std::move(content))));
  ASSAY_RETURN_IF_ERROR(AwaitBlobs(to.Get(digest)));
  ++report.copied;
  return {};
}

std::string LocationOf(const std::string& place) {
  return place == kLocalBlobs ? "" : place;
}

}  // namespace

Expected<MovedBlobs> MigrateBlobs(const BlobMove& move) {
  if (!std::filesystem::exists(move.data_dir / "repositories"))
    return NotFound("there is no installation in ", move.data_dir.string(),
                    ": expected the --data-dir of an assayd");
  ASSAY_ASSIGN_OR_RETURN(const auto lock,
                         coordinator::DataDirectory::Open(move.data_dir));
  const std::string from = move.from.empty()
                               ? storage::ReadBlobsPlace(move.data_dir)
                               : LocationOf(move.from);
  const std::string to = LocationOf(move.to);
  ASSAY_ASSIGN_OR_RETURN(
      const auto source,
      storage::OpenBlobsAt({from, move.endpoint, move.region}, move.data_dir));
  ASSAY_ASSIGN_OR_RETURN(
      const auto target,
      storage::OpenBlobsAt({to, move.endpoint, move.region}, move.data_dir));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<std::string> digests,
                         ListAll(*source));
  MovedBlobs report{.total = static_cast<int>(digests.size())};
  auto said = steady_clock::now();
  for (const std::string& digest : digests) {
    const Status copied = CopyOne(*source, *target, digest, report);
    if (!copied) return std::unexpected(copied.error());
    if (move.progress && steady_clock::now() - said >= kBetweenWords) {
      said = steady_clock::now();
      move.progress(report);
    }
  }
  ASSAY_RETURN_IF_ERROR(storage::WriteBlobsPlace(move.data_dir, to));
  return report;
}

}  // namespace assay::maintenance
