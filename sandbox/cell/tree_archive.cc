#include "sandbox/cell/tree_archive.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {
namespace {

constexpr std::size_t kBufferSize = 256 * 1024;
constexpr std::size_t kHeaderSize = 1 + 2 + 8;

template <class Integer>
void PutLittleEndian(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

template <class Integer>
Integer TakeLittleEndian(const char* bytes) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    value |= static_cast<Integer>(static_cast<unsigned char>(bytes[i]))
             << (8 * i);
  }
  return value;
}

// Reads a descriptor from offset 0 without moving its position, so that one
// archive can be unpacked by several processes; from a pipe as it comes.
class Source {
 public:
  explicit Source(int fd)
      : fd_(fd),
        seekable_(::lseek(fd, 0, SEEK_CUR) >= 0),
        buffer_(kBufferSize) {}

  // The next 1..limit bytes; empty at the end of the input.
  Expected<std::string_view> Next(std::size_t limit) {
    if (begin_ == end_) {
      ssize_t n = 0;
      do {
        n = seekable_ ? ::pread(fd_, buffer_.data(), buffer_.size(), offset_)
                      : ::read(fd_, buffer_.data(), buffer_.size());
      } while (n < 0 && errno == EINTR);
      if (n < 0) return SystemError("read the archive", errno);
      offset_ += n;
      begin_ = 0;
      end_ = static_cast<std::size_t>(n);
    }
    const std::size_t n = std::min(limit, end_ - begin_);
    const std::string_view view(buffer_.data() + begin_, n);
    begin_ += n;
    return view;
  }

  Expected<std::string> Exactly(std::size_t size) {
    std::string bytes;
    bytes.reserve(size);
    while (bytes.size() < size) {
      ASSAY_ASSIGN_OR_RETURN(const auto part, Next(size - bytes.size()));
      if (part.empty()) return DataLoss("the archive is cut short");
      bytes += part;
    }
    return bytes;
  }

 private:
  int fd_;
  bool seekable_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  off_t offset_ = 0;
};

// Opens `path` below `directory` without following a link in any component.
UniqueFd OpenBelow(int directory, const std::string& path, int flags,
                   mode_t mode = 0) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how))));
}

class Unpacker {
 public:
  Unpacker(int fd, int directory) : source_(fd), root_(directory) {}

  Status Run() {
    ASSAY_ASSIGN_OR_RETURN(const auto magic,
                           source_.Exactly(kTreeArchiveMagic.size()));
    if (magic != kTreeArchiveMagic) {
      return DataLoss("not a tree archive: it begins with other bytes than ",
                      kTreeArchiveMagic);
    }
    while (true) {
      ASSAY_ASSIGN_OR_RETURN(const auto header, source_.Exactly(kHeaderSize));
      const auto type = static_cast<TreeRecordType>(header[0]);
      const auto length = TakeLittleEndian<std::uint16_t>(header.data() + 1);
      const auto size = TakeLittleEndian<std::uint64_t>(header.data() + 3);
      if (type == TreeRecordType::kEnd) return {};
      ASSAY_ASSIGN_OR_RETURN(const auto path, source_.Exactly(length));
      if (!IsTreePath(path)) {
        return DataLoss("the archive holds the path '", path,
                        "', which could lead out of its directory");
      }
      if (auto status = Write(type, path, size); !status) {
        return std::unexpected(status.error().Within(path));
      }
    }
  }

 private:
  Status Write(TreeRecordType type, const std::string& path,
               std::uint64_t size) {
    const auto slash = path.rfind('/');
    const std::string parent =
        slash == std::string::npos ? "" : path.substr(0, slash);
    const std::string name =
        slash == std::string::npos ? path : path.substr(slash + 1);
    ASSAY_RETURN_IF_ERROR(EnterDirectory(parent));
    switch (type) {
      case TreeRecordType::kDirectory:
        if (size != 0) return DataLoss("a directory record has content");
        return EnterDirectory(path);
      case TreeRecordType::kFile:
        return WriteFile(name, 0644, size);
      case TreeRecordType::kExecutable:
        return WriteFile(name, 0755, size);
      case TreeRecordType::kSymlink:
        return WriteSymlink(name, size);
      case TreeRecordType::kEnd:
        break;
    }
    return DataLoss("record of unknown type ", static_cast<int>(type));
  }

  // Makes `path` the current directory, creating what is missing. Archives are
  // mostly in tree order, so the last one is remembered.
  Status EnterDirectory(const std::string& path) {
    if (path == current_path_ && (path.empty() || current_)) return {};
    if (path.empty()) {
      current_path_.clear();
      current_.Reset();
      return {};
    }
    UniqueFd fd = OpenBelow(root_, path, O_PATH | O_DIRECTORY);
    if (!fd && errno == ENOENT) {
      ASSAY_RETURN_IF_ERROR(CreateDirectories(path));
      fd = OpenBelow(root_, path, O_PATH | O_DIRECTORY);
    }
    if (!fd) return SystemError("open its directory " + path, errno);
    current_path_ = path;
    current_ = std::move(fd);
    return {};
  }

  Status CreateDirectories(const std::string& path) {
    UniqueFd at(::fcntl(root_, F_DUPFD_CLOEXEC, 0));
    std::size_t begin = 0;
    while (begin < path.size()) {
      const auto end = std::min(path.find('/', begin), path.size());
      const std::string name = path.substr(begin, end - begin);
      if (::mkdirat(at.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
        return SystemError("create the directory " + path, errno);
      }
      at = OpenBelow(at.get(), name, O_PATH | O_DIRECTORY);
      if (!at) return SystemError("open the directory " + path, errno);
      begin = end + 1;
    }
    return {};
  }

  int Here() const { return current_path_.empty() ? root_ : current_.get(); }

  Status WriteFile(const std::string& name, mode_t mode, std::uint64_t size) {
    // A name that is taken is freed first: the file may be a link, or be open
    // elsewhere.
    UniqueFd fd =
        OpenBelow(Here(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (!fd && errno == EEXIST && ::unlinkat(Here(), name.c_str(), 0) == 0) {
      fd = OpenBelow(Here(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                     mode);
    }
    if (!fd) return SystemError("create the file", errno);
    while (size > 0) {
      ASSAY_ASSIGN_OR_RETURN(
          auto part, source_.Next(std::min<std::uint64_t>(size, kBufferSize)));
      if (part.empty()) return DataLoss("the archive is cut short");
      size -= part.size();
      while (!part.empty()) {
        const ssize_t n = ::write(fd.get(), part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return SystemError("write the file", errno);
        part.remove_prefix(static_cast<std::size_t>(n));
      }
    }
    return {};
  }

  Status WriteSymlink(const std::string& name, std::uint64_t size) {
    if (size == 0 || size > kTreeArchiveMaxPath) {
      return DataLoss("a link's target is ", size,
                      " bytes long, expected 1 to ", kTreeArchiveMaxPath);
    }
    ASSAY_ASSIGN_OR_RETURN(const auto target, source_.Exactly(size));
    if (target.find('\0') != std::string::npos) {
      return DataLoss("a link's target holds a NUL");
    }
    int result = ::symlinkat(target.c_str(), Here(), name.c_str());
    if (result != 0 && errno == EEXIST &&
        ::unlinkat(Here(), name.c_str(), 0) == 0) {
      result = ::symlinkat(target.c_str(), Here(), name.c_str());
    }
    if (result != 0) return SystemError("create the link", errno);
    return {};
  }

  Source source_;
  int root_;
  std::string current_path_;
  UniqueFd current_;
};

}  // namespace

bool IsTreePath(std::string_view path) {
  if (path.empty() || path.size() > kTreeArchiveMaxPath) return false;
  if (path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const auto slash = path.find('/');
    const auto name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Status UnpackTreeArchive(int fd, int directory_fd) {
  return Unpacker(fd, directory_fd).Run();
}

TreeArchiveWriter::TreeArchiveWriter(int fd)
    : fd_(fd), buffer_(kTreeArchiveMagic) {}

Status TreeArchiveWriter::AddDirectory(std::string_view path) {
  return Add(TreeRecordType::kDirectory, path, "");
}

Status TreeArchiveWriter::AddFile(std::string_view path,
                                  std::string_view content, bool executable) {
  return Add(executable ? TreeRecordType::kExecutable : TreeRecordType::kFile,
             path, content);
}

Status TreeArchiveWriter::AddSymlink(std::string_view path,
                                     std::string_view target) {
  if (target.empty() || target.size() > kTreeArchiveMaxPath ||
      target.find('\0') != std::string_view::npos) {
    return InvalidArgument("the link ", path,
                           " has a target that is empty, too long or holds a "
                           "NUL");
  }
  return Add(TreeRecordType::kSymlink, path, target);
}

Status TreeArchiveWriter::Finish() {
  buffer_.append(kHeaderSize, '\0');
  return Flush();
}

Status TreeArchiveWriter::Add(TreeRecordType type, std::string_view path,
                              std::string_view content) {
  if (!IsTreePath(path)) {
    return InvalidArgument("'", path,
                           "' cannot stand in a tree archive: expected a "
                           "relative path without '.' and '..'");
  }
  std::string header;
  header.push_back(static_cast<char>(type));
  PutLittleEndian(header, static_cast<std::uint16_t>(path.size()));
  PutLittleEndian(header, static_cast<std::uint64_t>(content.size()));
  ASSAY_RETURN_IF_ERROR(Put(header));
  ASSAY_RETURN_IF_ERROR(Put(path));
  return Put(content);
}

Status TreeArchiveWriter::Put(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < kBufferSize ? Status() : Flush();
}

Status TreeArchiveWriter::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("write the archive", errno);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
  return {};
}

}  // namespace assay::sandbox
