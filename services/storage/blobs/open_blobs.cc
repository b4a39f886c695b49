#include "services/storage/blobs/open_blobs.h"

#include <fstream>
#include <utility>

#include "services/storage/blobs/local.h"
#include "services/storage/blobs/s3.h"

namespace assay::storage {
namespace {

namespace fs = std::filesystem;

bool HoldsBlobs(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end;
       !error && entry != end; entry.increment(error))
    if (IsDigest(entry->path().filename().string())) return true;
  return false;
}

// The same place, whether or not it was written with a '/' at its end.
std::string Plain(std::string location) {
  while (location.ends_with('/')) location.pop_back();
  return location;
}

}  // namespace

std::string ReadBlobsPlace(const fs::path& data_dir) {
  std::ifstream file(data_dir / kBlobsPlaceFile);
  std::string location;
  std::getline(file, location);
  return location;
}

Status WriteBlobsPlace(const fs::path& data_dir, const std::string& location) {
  const fs::path file = data_dir / kBlobsPlaceFile;
  const fs::path draft = file.string() + ".new";
  std::error_code error;
  if (location.empty()) {
    fs::remove(file, error);
  } else {
    std::ofstream(draft) << Plain(location) << "\n";
    fs::rename(draft, file, error);
  }
  if (error) return SystemError("write " + file.string(), error.value());
  return {};
}

Expected<std::unique_ptr<BlobStore>> OpenBlobsAt(const BlobPlace& place,
                                                 const fs::path& data_dir,
                                                 bool is_new) {
  if (place.location.empty()) return OpenLocalBlobs(data_dir / kBlobsFolder);
  // A folder that several coordinators share.
  if (place.location.starts_with('/')) return OpenLocalBlobs(place.location);
  ASSAY_ASSIGN_OR_RETURN(S3Settings settings,
                         ReadS3Settings(place, ProcessEnvironment));
  return OpenS3Blobs(std::move(settings), is_new);
}

Expected<std::unique_ptr<BlobStore>> OpenBlobs(const BlobPlace& place,
                                               const fs::path& data_dir) {
  const std::string known = ReadBlobsPlace(data_dir);
  const std::string wanted = Plain(place.location);
  if (wanted != known && !known.empty())
    return FailedPrecondition(
        "the blobs of ", data_dir.string(), " are in ", known, ", not in ",
        wanted.empty() ? "its own folder" : wanted, ": name it with --blobs ",
        "(or ASSAY_BLOBS), or move them with `assay admin migrate-blobs`");
  if (wanted != known && HoldsBlobs(data_dir / kBlobsFolder))
    return FailedPrecondition(data_dir.string(),
                              " holds blobs of its own: move them with `assay "
                              "admin migrate-blobs --to ",
                              wanted, "`, or choose another --data-dir");
  ASSAY_ASSIGN_OR_RETURN(auto blobs,
                         OpenBlobsAt(place, data_dir, wanted != known));
  if (wanted != known) ASSAY_RETURN_IF_ERROR(WriteBlobsPlace(data_dir, wanted));
  return blobs;
}

}  // namespace assay::storage
