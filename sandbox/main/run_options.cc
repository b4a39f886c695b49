#include "sandbox/main/run_options.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "sandbox/cell/blueprint.h"
#include "sandbox/cell/launcher.h"

namespace assay::sandbox {
namespace {

template <std::size_t N>
std::optional<std::pair<double, double>> SplitUnit(
    std::string_view text,
    const std::array<std::pair<std::string_view, double>, N>& units) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(),
                                      value, std::chars_format::fixed);
  if (result.ec != std::errc() || !(value >= 0)) return std::nullopt;
  const std::string_view rest(result.ptr, text.data() + text.size());
  for (const auto& [name, factor] : units) {
    if (rest == name) return std::pair(value, factor);
  }
  return std::nullopt;
}

template <class Number>
Status StoreCount(Number& to, std::string_view text) {
  Number value = 0;
  const auto result =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    return InvalidArgument("found '", text, "', expected at most ",
                           std::numeric_limits<Number>::max());
  }
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() ||
      value < 1) {
    return InvalidArgument("found '", text, "', expected a number above 0");
  }
  to = value;
  return {};
}

// Paths of this machine may be relative to where the caller stands.
Expected<std::string> HostPath(std::string_view path) {
  const std::string text(path);
  char real[PATH_MAX];
  if (::realpath(text.c_str(), real) == nullptr) {
    return SystemError("cannot use '" + text + "'", errno);
  }
  return std::string(real);
}

// "SRC" or "SRC:DST".
Expected<Mount> ParseBind(std::string_view text,
                          std::optional<AllowHostWrites> writable) {
  const auto colon = text.find(':');
  ASSAY_ASSIGN_OR_RETURN(const auto source, HostPath(text.substr(0, colon)));
  // Else the command would be the one to find out.
  if (::faccessat(AT_FDCWD, source.c_str(), R_OK, AT_EACCESS) != 0) {
    return SystemError("cannot read '" + source + "'", errno);
  }
  BindMount bind = {.source = {.path = source}, .writable = writable};
  bind.target = colon == std::string_view::npos
                    ? source
                    : std::string(text.substr(colon + 1));
  return bind;
}

Expected<Mount> ParseTmpfs(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return InvalidArgument("found '", text, "', expected DST:SIZE");
  }
  ASSAY_ASSIGN_OR_RETURN(const auto bytes, ParseSize(text.substr(colon + 1)));
  return TmpfsMount{.target = std::string(text.substr(0, colon)),
                    .bytes = bytes};
}

Expected<Root> ParseRoot(std::string_view text) {
  if (text == "host") return HostRoot{};
  ASSAY_ASSIGN_OR_RETURN(const auto path, HostPath(text));
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return InvalidArgument("'", text, "' is not a directory");
  }
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) != 0) {
    return SystemError("cannot read '" + path + "'", errno);
  }
  return DirectoryRoot{path};
}

// Stores the value of an Expected, or returns its error.
template <class To, class From>
Status Store(To& to, Expected<From> from) {
  if (!from) return std::unexpected(from.error());
  to = static_cast<To>(*std::move(from));
  return {};
}

Status SetRoot(RunOptions& options, std::string_view text) {
  constexpr std::string_view kImage = "oci:";
  options.image.reset();
  if (!text.starts_with(kImage))
    return Store(options.cell.root, ParseRoot(text));
  ImageName name = ParseImageName(text.substr(kImage.size()));
  ASSAY_ASSIGN_OR_RETURN(name.layout, HostPath(name.layout));
  // What is wrong with a layout is said before anything is done.
  if (auto found = FindImage(name.layout, name.tag); !found) {
    return std::unexpected(found.error());
  }
  options.image = std::move(name);
  return {};
}

Expected<std::uint32_t> ParseWeaker(std::string_view text) {
  std::uint32_t bits = 0;
  while (true) {
    const auto comma = text.find(',');
    const auto name = text.substr(0, comma);
    std::uint32_t bit = name == "all" ? kAllWeaknesses : 0;
    for (std::uint32_t b = 1; b <= kAllWeaknesses; b <<= 1) {
      if (WeaknessName(static_cast<Weakness>(b)) == name) bit = b;
    }
    if (bit == 0) {
      return InvalidArgument("found '", name,
                             "', expected memory, pids, cores, cpu-time, "
                             "io or all; assay-sandbox check lists them");
    }
    bits |= bit;
    if (comma == std::string_view::npos) return bits;
    text.remove_prefix(comma + 1);
  }
}

Status ParseNet(std::string_view text, RunOptions& options) {
  constexpr std::string_view kEgress = "egress=";
  options.egress.clear();
  options.cell.loopback = text != "none";
  if (text == "none" || text == "loopback") return {};
  if (!text.starts_with(kEgress)) {
    return InvalidArgument(
        "found '", text, "', expected none, loopback or egress=HOST:PORT,...");
  }
  text.remove_prefix(kEgress.size());
  while (true) {
    const auto comma = text.find(',');
    ASSAY_ASSIGN_OR_RETURN(auto destination,
                           ParseDestination(text.substr(0, comma)));
    options.egress.push_back(std::move(destination));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (options.egress.size() > kMostDestinations) {
    return InvalidArgument("found ", options.egress.size(),
                           " places, expected at most ", kMostDestinations);
  }
  return {};
}

Status ParseCores(std::string_view text, double& cores) {
  const auto result =
      std::from_chars(text.data(), text.data() + text.size(), cores);
  if (result.ec == std::errc() && result.ptr == text.data() + text.size() &&
      cores > 0) {
    return {};
  }
  return InvalidArgument("found '", text, "', expected a number above 0");
}

Status AddMount(CellSpec& cell, Expected<Mount> mount) {
  if (!mount) return std::unexpected(mount.error());
  cell.mounts.push_back(*std::move(mount));
  return {};
}

// A later setting of a variable replaces an earlier one.
Status SetVariable(std::vector<std::string>& environment,
                   const std::string& line) {
  const auto equals = line.find('=');
  if (equals == std::string::npos || equals == 0) {
    return InvalidArgument("found '", line, "', expected NAME=VALUE");
  }
  std::erase_if(environment, [&](const std::string& old) {
    return old.starts_with(line.substr(0, equals + 1));
  });
  environment.push_back(line);
  return {};
}

// `value` is what followed the option. kNotFound: no such option.
Status Apply(RunOptions& o, std::string_view name, std::string_view value) {
  Limits& limits = o.cell.limits;
  ProcessSpec& process = o.cell.processes[0];
  const std::string text(value);
  if (name == "--root") return SetRoot(o, value);
  if (name == "--cache") return o.cache_dir = text, Status();
  if (name == "--ro") return AddMount(o.cell, ParseBind(value, std::nullopt));
  if (name == "--rw")
    return AddMount(o.cell, ParseBind(value, AllowHostWrites{}));
  if (name == "--tmpfs") return AddMount(o.cell, ParseTmpfs(value));
  if (name == "--env") return SetVariable(process.environment, text);
  if (name == "--cwd") return process.working_directory = text, Status();
  if (name == "--wall") return Store(process.wall_limit, ParseDuration(value));
  if (name == "--cpu") return Store(process.cpu_limit, ParseDuration(value));
  if (name == "--cores") return ParseCores(value, limits.cores);
  if (name == "--io-rate") {
    return Store(limits.io_bytes_per_second, ParseSize(value));
  }
  if (name == "--memory") return Store(limits.memory_bytes, ParseSize(value));
  if (name == "--pids") return StoreCount(limits.pids, value);
  if (name == "--disk") return Store(limits.scratch_bytes, ParseSize(value));
  if (name == "--inodes") {
    return StoreCount(limits.scratch_inodes, value);
  }
  if (name == "--file-size") {
    return Store(limits.file_bytes, ParseSize(value));
  }
  if (name == "--open-files") {
    return StoreCount(limits.open_files, value);
  }
  if (name == "--output") return Store(o.output_bytes, ParseSize(value));
  if (name == "--net") return ParseNet(value, o);
  if (name == "--hostname") return o.cell.hostname = text, Status();
  if (name == "--stdin") return o.stdin_path = text, Status();
  if (name == "--stdout") return o.stdout_path = text, Status();
  if (name == "--stderr") return o.stderr_path = text, Status();
  if (name == "--json") return o.json_path = text, Status();
  if (name == "--allow-weaker") {
    return Store(o.allowed_weaker, ParseWeaker(value));
  }
  return NotFound("unknown option '", name,
                  "'; assay-sandbox --help lists what there is");
}

// What the kernel says in a file of one number; `otherwise` if it does not.
std::int64_t HostNumber(const char* path, std::int64_t otherwise) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[32];
  const ssize_t n = file ? ::read(file.get(), text, sizeof(text)) : 0;
  std::int64_t value = otherwise;
  if (n > 0) std::from_chars(text, text + n, value);
  return value;
}

// What is in memory.
Status CheckMemory(const CellSpec& cell) {
  struct sysinfo host = {};
  ::sysinfo(&host);
  const auto memory = static_cast<std::int64_t>(host.totalram) * host.mem_unit;
  // The kernel's own part of a file.
  constexpr std::int64_t kInode = 512;
  std::vector<std::pair<const char*, std::int64_t>> asked = {
      {"--memory", cell.limits.memory_bytes},
      {"--disk", cell.limits.scratch_bytes},
      {"--inodes", cell.limits.scratch_inodes > memory / kInode
                       ? std::numeric_limits<std::int64_t>::max()
                       : 0}};
  for (const auto& mount : cell.mounts) {
    if (const auto* tmpfs = std::get_if<TmpfsMount>(&mount)) {
      asked.emplace_back("--tmpfs", tmpfs->bytes);
    }
  }
  for (const auto& [name, bytes] : asked) {
    if (bytes <= memory) continue;
    return InvalidArgument(name, ": this host has ", memory,
                           " bytes of memory, which is less");
  }
  return {};
}

// Counts, of which the kernel would quietly give what it has.
Status CheckCounts(const Limits& limits) {
  if (limits.pids > 0) {
    const auto most = HostNumber("/proc/sys/kernel/pid_max", limits.pids);
    if (limits.pids > most) {
      return InvalidArgument("--pids: found ", limits.pids,
                             ", but this host has ", most);
    }
  }
  rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 &&
      static_cast<rlim_t>(limits.open_files) > files.rlim_max) {
    return InvalidArgument("--open-files: found ", limits.open_files,
                           ", but who calls may have ", files.rlim_max,
                           " (ulimit -Hn)");
  }
  return {};
}

// A limit that this host cannot reach limits nothing, and is a mistake.
Status CheckHostHas(const CellSpec& cell) {
  const Limits& limits = cell.limits;
  ASSAY_RETURN_IF_ERROR(CheckMemory(cell));
  ASSAY_RETURN_IF_ERROR(CheckCounts(limits));
  if (limits.cores <= 0) return {};
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (limits.cores > static_cast<double>(cores)) {
    return InvalidArgument("--cores: found ", limits.cores,
                           ", but this host has ", cores);
  }
  return {};
}

RunOptions Defaults() {
  RunOptions options;
  options.cell.name = "run";
  // What is not asked for is not limited, but for the scratch space, which
  // lives in memory.
  options.cell.limits.memory_bytes = 0;
  options.cell.limits.pids = 0;
  options.cell.processes = {{.name = "command"}};
  options.cell.processes[0].stdin_kind = Stdin::kPipe;
  return options;
}

}  // namespace

const std::vector<std::string>& DefaultVariables() {
  static const std::vector<std::string> kVariables = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/tmp"};
  return kVariables;
}

Expected<std::int64_t> ParseSize(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits = {
      {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
  const auto parsed = SplitUnit(text, kUnits);
  constexpr double kMost = 1e15;
  if (!parsed || parsed->first <= 0 || parsed->first * parsed->second > kMost) {
    return InvalidArgument(
        "found '", text,
        "', expected a size above 0 with its unit, such as 64KiB, "
        "256MiB or 2GiB");
  }
  return static_cast<std::int64_t>(parsed->first * parsed->second);
}

Expected<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits = {
      {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 6e10}}};
  const auto parsed = SplitUnit(text, kUnits);
  constexpr double kMost = 1e17;
  if (!parsed || parsed->first <= 0 || parsed->first * parsed->second > kMost) {
    return InvalidArgument(
        "found '", text,
        "', expected a time above 0 with its unit, such as 500ms, "
        "2s or 5min");
  }
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(parsed->first * parsed->second));
}

Expected<RunOptions> ParseRunOptions(std::span<const std::string_view> words) {
  RunOptions options = Defaults();
  std::size_t i = 0;
  for (; i < words.size(); ++i) {
    std::string_view name = words[i];
    if (name == "--") {
      ++i;
      break;
    }
    if (!name.starts_with("--")) break;
    if (name == "--explain") {
      options.explain = true;
      continue;
    }
    std::string_view value;
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      // Tells an unknown option from one without its value.
      const auto known = Apply(options, name, "");
      if (!known && known.error().code == Code::kNotFound) {
        return std::unexpected(known.error());
      }
      return InvalidArgument(name, ": a value is missing");
    }
    if (auto status = Apply(options, name, value); !status) {
      const Error& error = status.error();
      const bool unknown = error.message.starts_with("unknown option");
      return std::unexpected(unknown ? error : error.Within(name));
    }
  }
  ProcessSpec& process = options.cell.processes[0];
  for (; i < words.size(); ++i) process.arguments.emplace_back(words[i]);
  if (process.arguments.empty()) {
    return InvalidArgument(
        "no command; expected assay-sandbox run [options] -- CMD...");
  }
  ASSAY_RETURN_IF_ERROR(CheckHostHas(options.cell));
  SessionSpec session;
  session.cells = {options.cell};
  ASSAY_RETURN_IF_ERROR(CheckSession(session));
  return options;
}

}  // namespace assay::sandbox
