#include "sandbox/image/image_cache.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "sandbox/cell/session.h"

namespace assay::sandbox {
namespace {

namespace fs = std::filesystem;

// Part of the cache's names: grows when the same image would unpack to
// something else.
constexpr std::string_view kFormat = "-1";
constexpr std::chrono::minutes kTimeLimit{15};
constexpr std::int64_t kMemory = 1 << 30;
constexpr std::size_t kWords = 2000;
constexpr std::int64_t kMostEnvironment = 256 << 10;

Status CheckCache(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  struct stat info;
  if (::lstat(directory.c_str(), &info) != 0) {
    return SystemError("make the image cache '" + directory + "'", errno);
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() ||
      (info.st_mode & 022) != 0) {
    return FailedPrecondition("the image cache '", directory,
                              "' must be a directory of this user that nobody "
                              "else may write to");
  }
  return {};
}

// Reads what the process complains of until it ends.
Expected<Termination> WaitReading(Process& process, std::string& words) {
  while (true) {
    pollfd polled[] = {{process.exit_fd(), POLLIN, 0},
                       {process.stderr_fd(), POLLIN, 0}};
    // A closed stream is always ready, and would be asked for ever.
    const bool ended = process.TakeTermination().has_value();
    if (!ended) ::poll(polled, 2, 1000);
    char chunk[4096];
    const ssize_t n = ::read(process.stderr_fd(), chunk, sizeof(chunk));
    if (n > 0) words.append(chunk, static_cast<std::size_t>(n));
    if (words.size() > kWords) words.resize(kWords);
    if (n > 0) continue;
    if (ended) return *process.TakeTermination();
    if (n == 0) return process.Wait();
  }
}

SessionSpec UnpackCell(const ImageOrder& order, const Descriptor& image,
                       const std::string& directory) {
  CellSpec cell = {.name = "image", .loopback = false};
  cell.limits.memory_bytes = kMemory;
  cell.mounts = {
      BindMount{.source = {.path = order.name.layout}, .target = "/layout"},
      BindMount{.source = {.path = order.program}, .target = "/assay-image"},
      BindMount{.source = {.path = directory},
                .target = "/image",
                .writable = AllowHostWrites{}}};
  cell.processes = {
      {.name = "assay-image",
       .arguments = {"/assay-image", "/layout", image.media_type, image.digest,
                     std::to_string(image.bytes), "/image"},
       .environment = {"LC_ALL=C.UTF-8"},
       .wall_limit = kTimeLimit}};
  SessionSpec spec;
  spec.cells = {std::move(cell)};
  return spec;
}

Status Unpack(Launcher& launcher, const ImageOrder& order,
              const Descriptor& image, const std::string& directory) {
  ASSAY_ASSIGN_OR_RETURN(UniqueFd socket, launcher.CreateSession(UnpackCell(
                                              order, image, directory)));
  Session session(std::move(socket));
  ASSAY_ASSIGN_OR_RETURN(auto started, session.StartCellWith(0, 0));
  std::string words;
  ASSAY_ASSIGN_OR_RETURN(const Termination end,
                         WaitReading(started.process, words));
  ASSAY_RETURN_IF_ERROR(started.cell.Destroy());
  if (end.Succeeded()) return {};
  while (words.ends_with('\n')) words.pop_back();
  if (end.ending == Ending(Exited{1}) && !words.empty()) {
    return InvalidArgument(words);
  }
  return InvalidArgument("unpacking it ", Describe(end.ending),
                         words.empty() ? "" : ": ", words);
}

Expected<ImageRoot> Found(const fs::path& ready) {
  ASSAY_ASSIGN_OR_RETURN(const std::string text,
                         ReadBounded(ready / "environment", kMostEnvironment));
  ImageRoot root = {.directory = ready / "root"};
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\0'), rest.size());
    const std::string_view line = rest.substr(0, end);
    const auto equals = line.find('=');
    if (equals != 0 && equals != std::string_view::npos) {
      root.environment.emplace_back(line);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return root;
}

// What unpacked had all of `directory` to itself, and may have been taken over
// by the image: a link in place of the root would show cells whatever it leads
// to.
Status CheckMade(const std::string& directory) {
  struct stat root;
  if (::lstat((directory + "/root").c_str(), &root) != 0 ||
      !S_ISDIR(root.st_mode)) {
    return InvalidArgument("it was not unpacked to a directory");
  }
  // The programs of an image keep their modes; they are for cells.
  if (::chmod(directory.c_str(), 0700) != 0) {
    return SystemError("close '" + directory + "' to others", errno);
  }
  return {};
}

// Made aside and moved into place: a half-made one must never be found.
Status Make(Launcher& launcher, const ImageOrder& order,
            const Descriptor& image, const fs::path& ready) {
  std::string scratch = order.cache_dir + "/new-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) {
    return SystemError("make '" + scratch + "'", errno);
  }
  Status done = Unpack(launcher, order, image, scratch);
  if (done) done = CheckMade(scratch);
  std::error_code error;
  if (done) {
    fs::rename(scratch, ready, error);
    // Somebody may have been faster; a digest has one content.
    if (error && !fs::exists(ready)) {
      done = Internal("cannot move the image to ", ready.string(), ": ",
                      error.message());
    }
  }
  fs::remove_all(scratch, error);
  return done;
}

}  // namespace

Expected<ImageRoot> EnsureImageRoot(Launcher& launcher,
                                    const ImageOrder& given) {
  ImageOrder order = given;
  std::error_code error;
  // The launcher has another working directory.
  for (std::string* path :
       {&order.name.layout, &order.cache_dir, &order.program}) {
    *path = fs::absolute(*path, error);
  }
  ASSAY_ASSIGN_OR_RETURN(const Descriptor image,
                         FindImage(order.name.layout, order.name.tag));
  ASSAY_RETURN_IF_ERROR(CheckCache(order.cache_dir));
  const fs::path ready = fs::path(order.cache_dir) /
                         (image.digest.substr(7) + std::string(kFormat));
  if (fs::exists(ready, error)) return Found(ready);
  if (::access(order.program.c_str(), X_OK) != 0) {
    return SystemError("images are unpacked by '" + order.program + "'", errno);
  }
  // Whoever comes second waits instead of unpacking the same.
  const std::string lock_path = ready.string() + ".lock";
  const UniqueFd lock(
      ::open(lock_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
    return SystemError("lock '" + lock_path + "'", errno);
  }
  if (!fs::exists(ready, error)) {
    if (auto made = Make(launcher, order, image, ready); !made) {
      ::unlink(lock_path.c_str());
      return std::unexpected(made.error().Within("image " + order.name.layout));
    }
  }
  ::unlink(lock_path.c_str());
  return Found(ready);
}

void AddMissingVariables(std::vector<std::string>& lines,
                         const std::vector<std::string>& defaults) {
  const auto sets = [](const std::string& line, std::string_view name) {
    return line.starts_with(name);
  };
  for (const std::string& line : defaults) {
    const auto name = std::string_view(line).substr(0, line.find('=') + 1);
    const bool there = std::ranges::any_of(
        lines, [&](const std::string& other) { return sets(other, name); });
    if (!there) lines.push_back(line);
  }
}

}  // namespace assay::sandbox
