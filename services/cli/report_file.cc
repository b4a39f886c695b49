#include "services/cli/report_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace assay::cli {
namespace {

using Format = ReportFile::Format;

struct Known {
  std::string_view word;
  std::string_view ending;
  Format format;
};

// ".ctrf.json" before ".json", which it ends with.
constexpr Known kKnown[] = {{"html", ".html", Format::kHtml},
                            {"junit", ".xml", Format::kJunit},
                            {"ctrf", ".ctrf.json", Format::kCtrf},
                            {"json", ".json", Format::kJson},
                            {"markdown", ".md", Format::kMarkdown}};

}  // namespace

Expected<ReportFile> ReportFileOf(const std::string& name) {
  for (const Known& known : kKnown) {
    if (name == known.word) {
      return ReportFile{"report" + std::string(known.ending), known.format};
    }
    if (name.size() > known.ending.size() && name.ends_with(known.ending)) {
      return ReportFile{name, known.format};
    }
  }
  return InvalidArgument(
      "--report ", name,
      ": expected a file that ends in .html, .xml (JUnit), .ctrf.json, .json "
      "or .md");
}

std::string RenderReport(Format format, const reports::RunReport& report) {
  // What a program wrote may be no UTF-8; JSON has to be.
  const auto dump = [](const nlohmann::ordered_json& json) {
    return json.dump(2, ' ', false,
                     nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
  };
  switch (format) {
    case Format::kHtml:
      return reports::ExportHtml(report);
    case Format::kJunit:
      return reports::ExportJunit(report);
    case Format::kCtrf:
      return dump(reports::ExportCtrf(report));
    case Format::kJson:
      return dump(reports::ExportJson(report));
    case Format::kMarkdown:
      return reports::ExportMarkdown(report);
  }
  return "";
}

Status WriteWholeFile(const std::string& path, const std::string& content) {
  namespace fs = std::filesystem;
  const std::string unfinished = path + ".part";
  {
    std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
    out << content;
    out.close();
    if (!out) return SystemError("write " + path, errno);
  }
  std::error_code failed;
  fs::rename(unfinished, path, failed);
  if (!failed) return {};
  std::error_code ignored;
  fs::remove(unfinished, ignored);
  return SystemError("write " + path, failed.value());
}

}  // namespace assay::cli
