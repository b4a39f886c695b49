#ifndef ASSAY_SERVICES_CLI_REPORT_FILE_H_
#define ASSAY_SERVICES_CLI_REPORT_FILE_H_

#include <string>

#include "proto/base/error.h"
#include "runner/reports/export.h"

namespace assay::cli {

// Where a report goes and what it is, both said by the name: FILE.html, .xml
// (JUnit), .ctrf.json, .json or .md; or a format's name alone (html, junit,
// ctrf, json, markdown) for report.EXT in the current folder.
struct ReportFile {
  enum class Format { kHtml, kJunit, kCtrf, kJson, kMarkdown };

  std::string path;
  Format format = Format::kHtml;
};

// INVALID_ARGUMENT: the name says no format; the message lists them.
Expected<ReportFile> ReportFileOf(const std::string& name);

std::string RenderReport(ReportFile::Format format,
                         const reports::RunReport& report);

// Replaces the file, or leaves it as it was.
Status WriteWholeFile(const std::string& path, const std::string& content);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_REPORT_FILE_H_
