#include "sandbox/image/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

namespace assay::sandbox {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kLongestPath = 4096;

struct FreeArchive {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeArchive>;

// What the reader's callback needs, and the error that stopped it.
struct Feed {
  const ByteSource& source;
  std::optional<Error> error;
};

la_ssize_t ReadMore(archive*, void* data, const void** buffer) {
  Feed& feed = *static_cast<Feed*>(data);
  const auto bytes = feed.source();
  if (!bytes) {
    feed.error = bytes.error();
    return -1;
  }
  *buffer = bytes->data();
  return static_cast<la_ssize_t>(bytes->size());
}

// "./etc/passwd" and "etc/passwd/" become "etc/passwd"; "." becomes "".
Expected<std::string> CleanPath(const char* given, const char* what) {
  if (given == nullptr) {
    return InvalidArgument("the layer has ", what, " that is not UTF-8");
  }
  std::string_view rest = given;
  const std::string whole(rest.substr(0, 200));
  if (rest.empty() || rest.size() > kLongestPath) {
    return InvalidArgument("the layer has ", what, " of ", rest.size(),
                           " bytes, expected 1 to ", kLongestPath);
  }
  if (rest.starts_with('/')) {
    return InvalidArgument("the layer has the absolute path '", whole,
                           "', expected relative ones");
  }
  std::string clean;
  while (!rest.empty()) {
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      return InvalidArgument("the path '", whole, "' leads out of the image");
    }
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

class LayerWriter {
 public:
  LayerWriter(archive* reader, Tree& tree) : reader_(reader), tree_(tree) {}

  Status Take(archive_entry* entry) {
    ASSAY_ASSIGN_OR_RETURN(
        const std::string path,
        CleanPath(::archive_entry_pathname(entry), "a path"));
    const auto slash = path.rfind('/');
    const std::string folder =
        slash == std::string::npos ? "" : path.substr(0, slash);
    const std::string name =
        slash == std::string::npos ? path : path.substr(slash + 1);
    if (name == kOpaque) return Empty(folder);
    if (name.starts_with(kWhiteout)) {
      const std::string hidden = name.substr(kWhiteout.size());
      if (hidden.empty() || hidden == "." || hidden == "..") {
        return InvalidArgument("the whiteout '", path, "' names nothing");
      }
      return Hide(folder.empty() ? hidden : folder + "/" + hidden);
    }
    Remember(path);
    return Add(entry, path);
  }

 private:
  // Whiteouts are about the layers below; what this one has brought stays,
  // in whichever order they stand.
  void Remember(std::string path) {
    while (!path.empty() && own_.insert(path).second) {
      const auto slash = path.rfind('/');
      path.resize(slash == std::string::npos ? 0 : slash);
    }
  }
  Status Hide(const std::string& path) {
    if (!own_.contains(path)) return tree_.Remove(path);
    return Empty(path);
  }
  Status Empty(const std::string& folder) {
    ASSAY_ASSIGN_OR_RETURN(const auto names, tree_.Names(folder));
    for (const auto& name : names) {
      const std::string path = folder.empty() ? name : folder + "/" + name;
      ASSAY_RETURN_IF_ERROR(Hide(path));
    }
    return {};
  }

  Status Add(archive_entry* entry, const std::string& path) {
    const auto mode = static_cast<std::uint32_t>(::archive_entry_perm(entry));
    if (::archive_entry_hardlink(entry) != nullptr) {
      ASSAY_ASSIGN_OR_RETURN(
          const std::string existing,
          CleanPath(::archive_entry_hardlink(entry), "a hard link's target"));
      return tree_.AddHardLink(path, existing);
    }
    switch (::archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return tree_.AddDirectory(path, mode);
      case AE_IFREG:
        return AddFile(path, mode);
      case AE_IFLNK: {
        const char* target = ::archive_entry_symlink(entry);
        if (target == nullptr || *target == '\0') {
          return InvalidArgument("the link '", path, "' has no target");
        }
        return tree_.AddSymlink(path, target);
      }
      default:
        return InvalidArgument("'", path,
                               "' is a device, FIFO or socket, expected files, "
                               "directories and links only");
    }
  }

  Status AddFile(const std::string& path, std::uint32_t mode) {
    ASSAY_ASSIGN_OR_RETURN(const UniqueFd file, tree_.AddFile(path, mode));
    while (true) {
      const void* bytes = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int result =
          ::archive_read_data_block(reader_, &bytes, &size, &offset);
      if (result == ARCHIVE_EOF) break;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        return InvalidArgument("the layer is damaged at '", path,
                               "': ", ::archive_error_string(reader_));
      }
      ASSAY_RETURN_IF_ERROR(tree_.Grow(static_cast<std::int64_t>(size)));
      ASSAY_RETURN_IF_ERROR(WriteAt(file.get(), bytes, size, offset, path));
    }
    return {};
  }
  static Status WriteAt(int file, const void* bytes, std::size_t size,
                        la_int64_t offset, const std::string& path) {
    const char* from = static_cast<const char*>(bytes);
    while (size > 0) {
      const ssize_t n = ::pwrite(file, from, size, offset);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return SystemError("write '" + path + "'", errno);
      from += n;
      offset += n;
      size -= static_cast<std::size_t>(n);
    }
    return {};
  }

  archive* reader_;
  Tree& tree_;
  // Paths of this layer and the directories above them.
  std::unordered_set<std::string> own_;
};

}  // namespace

Status ApplyLayer(const ByteSource& source, Compression compression,
                  Tree& tree) {
  const Reader reader(::archive_read_new());
  Feed feed = {source, std::nullopt};
  ::archive_read_support_format_tar(reader.get());
  if (compression == Compression::kGzip) {
    ::archive_read_support_filter_gzip(reader.get());
  } else if (compression == Compression::kZstd) {
    ::archive_read_support_filter_zstd(reader.get());
  }
  int result =
      ::archive_read_open(reader.get(), &feed, nullptr, &ReadMore, nullptr);
  LayerWriter writer(reader.get(), tree);
  while (result == ARCHIVE_OK || result == ARCHIVE_WARN) {
    archive_entry* entry = nullptr;
    result = ::archive_read_next_header(reader.get(), &entry);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) break;
    ASSAY_RETURN_IF_ERROR(writer.Take(entry));
  }
  if (feed.error) return std::unexpected(*feed.error);
  if (result == ARCHIVE_EOF) return {};
  const char* problem = ::archive_error_string(reader.get());
  return InvalidArgument("the layer is no tar archive that can be read: ",
                         problem != nullptr ? problem : "no reason given");
}

}  // namespace assay::sandbox
