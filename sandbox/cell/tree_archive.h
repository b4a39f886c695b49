#ifndef ASSAY_SANDBOX_CELL_TREE_ARCHIVE_H_
#define ASSAY_SANDBOX_CELL_TREE_ARCHIVE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/error.h"

// A directory tree as a byte stream: how a commit reaches a cell. Simpler than
// tar, so that the reader, which runs as the cell's user but out of the
// launcher's image, can be read at a glance.
//
//   archive = "ASSAYTR1" record* end
//   record  = type:u8 path_length:u16 size:u64 path content    (little endian)
//   type    = 1 directory (size 0) | 2 file | 3 executable file
//           | 4 symbolic link (content: its target, at most 4095 bytes)
//   end     = 0:u8 0:u16 0:u64
//
// A path is relative, 1..4095 bytes, of '/'-separated names that are neither
// empty, ".", nor "..", and holds no NUL. A record's parent directories need no
// records of their own.
namespace assay::sandbox {

inline constexpr std::string_view kTreeArchiveMagic = "ASSAYTR1";
inline constexpr std::size_t kTreeArchiveMaxPath = 4095;

enum class TreeRecordType : std::uint8_t {
  kEnd = 0,
  kDirectory = 1,
  kFile = 2,
  kExecutable = 3,
  kSymlink = 4,
};

// Whether `path` may stand in an archive.
bool IsTreePath(std::string_view path);

// Writes an archive to a descriptor (a memfd, a file or a pipe).
//
// Ownership: borrows `fd`.
// Errors: kInvalidArgument for a path or target that the format refuses, the
// errno's code when the descriptor cannot be written. After an error the
// archive is unfinished and of no use.
class TreeArchiveWriter {
 public:
  explicit TreeArchiveWriter(int fd);

  Status AddDirectory(std::string_view path);
  Status AddFile(std::string_view path, std::string_view content,
                 bool executable = false);
  Status AddSymlink(std::string_view path, std::string_view target);
  // Writes the end record. Nothing may be added afterwards.
  Status Finish();

 private:
  Status Add(TreeRecordType type, std::string_view path,
             std::string_view content);
  Status Put(std::string_view bytes);
  Status Flush();

  int fd_;
  std::string buffer_;
};

// Takes the archive that `fd` holds, from offset 0 (from where it stands if it
// is a pipe), apart below `directory_fd`. Never leaves that directory: not by
// names, not by links that the archive or anybody else put there. Files that
// are already there are replaced, directories are kept; a link or another kind
// of file in the way of a directory is an error.
//
// Errors: kDataLoss for what is no archive, a path that the format refuses, or
// an archive cut short; the errno's code when the file system refuses (disk
// full: kResourceExhausted).
Status UnpackTreeArchive(int fd, int directory_fd);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_TREE_ARCHIVE_H_
