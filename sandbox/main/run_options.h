#ifndef ASSAY_SANDBOX_MAIN_RUN_OPTIONS_H_
#define ASSAY_SANDBOX_MAIN_RUN_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/spec.h"
#include "sandbox/egress/destination.h"
#include "sandbox/image/layout.h"

namespace assay::sandbox {

// What `assay-sandbox run` was told.
struct RunOptions {
  // One cell with one process.
  CellSpec cell;
  // Instead of cell.root: an image that has yet to be unpacked.
  std::optional<ImageName> image;
  // Where images are unpacked; empty: the user's cache directory.
  std::string cache_dir;
  // What the command may reach through a proxy; empty: nothing.
  std::vector<Destination> egress;
  // Bytes of standard output and of standard error that are passed on; 0: all.
  std::int64_t output_bytes = 0;
  // Files; empty: our own streams.
  std::string stdin_path;
  std::string stdout_path;
  std::string stderr_path;
  // Where the result goes; "-" is standard output, empty nowhere.
  std::string json_path;
  // Weakness bits that are accepted.
  std::uint32_t allowed_weaker = 0;
  bool explain = false;
};

// Set unless they are given, or set by an image.
const std::vector<std::string>& DefaultVariables();

// Parses what follows "run". kInvalidArgument with one line that names the
// option, what was found and what was expected.
Expected<RunOptions> ParseRunOptions(std::span<const std::string_view> words);

// "256MiB" -> bytes; a unit (B, KiB, MiB, GiB) is required.
Expected<std::int64_t> ParseSize(std::string_view text);
// "2s" -> time; a unit (us, ms, s, min) is required. Fractions are allowed.
Expected<std::chrono::nanoseconds> ParseDuration(std::string_view text);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_MAIN_RUN_OPTIONS_H_
