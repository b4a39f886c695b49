#include "runner/run/collected_reports.h"

#include <charconv>

#include "runner/reports/import.h"

namespace assay::run {

Expected<std::vector<std::pair<std::string, std::string>>> ReadCollected(
    std::string_view output) {
  std::vector<std::pair<std::string, std::string>> files;
  while (!output.empty()) {
    const std::size_t size_end = output.find('\0');
    const std::size_t name_end = size_end == std::string_view::npos
                                     ? size_end
                                     : output.find('\0', size_end + 1);
    if (name_end == std::string_view::npos) {
      return InvalidArgument("the list of reports is cut off");
    }
    std::size_t size = 0;
    const char* const last = output.data() + size_end;
    const auto [end, error] = std::from_chars(output.data(), last, size);
    if (error != std::errc() || end != last ||
        size > output.size() - name_end - 1) {
      return ResourceExhausted("the reports are over ",
                               reports::kMaxImportBytes >> 20, " MiB");
    }
    files.emplace_back(output.substr(size_end + 1, name_end - size_end - 1),
                       output.substr(name_end + 1, size));
    output.remove_prefix(name_end + 1 + size);
  }
  return files;
}

}  // namespace assay::run
