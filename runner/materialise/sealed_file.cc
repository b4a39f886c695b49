#include "runner/materialise/sealed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace assay::materialise {

using sandbox::UniqueFd;

Expected<UniqueFd> MakeMemoryFile(const char* name) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return SystemError("memfd_create", errno);
  return fd;
}

Status Seal(int fd) {
  if (fcntl(fd, F_ADD_SEALS,
            F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return SystemError("seal a memory file", errno);
  return {};
}

Expected<UniqueFd> MakeSealedFile(const char* name, std::string_view content) {
  ASSAY_ASSIGN_OR_RETURN(UniqueFd fd, MakeMemoryFile(name));
  while (!content.empty()) {
    const ssize_t written = write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write a memory file", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ASSAY_RETURN_IF_ERROR(Seal(fd.get()));
  if (lseek(fd.get(), 0, SEEK_SET) != 0)
    return SystemError("rewind a memory file", errno);
  return fd;
}

}  // namespace assay::materialise
