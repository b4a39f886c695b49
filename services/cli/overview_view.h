#ifndef ASSAY_SERVICES_CLI_OVERVIEW_VIEW_H_
#define ASSAY_SERVICES_CLI_OVERVIEW_VIEW_H_

#include <string>
#include <string_view>

#include "assay/v1/overview_service.pb.h"
#include "services/cli/console.h"

namespace assay::cli {

void ShowHome(Console& console, const v1::GetHomeResponse& home);
// The queue alone.
void ShowQueue(Console& console, const v1::GetHomeResponse& home);
void ShowCandidates(Console& console, const v1::ListCandidatesResponse& list);
// RFC 4180 with a header line.
void ShowCandidatesCsv(Console& console,
                       const v1::ListCandidatesResponse& list);
void ShowStatistics(Console& console,
                    const v1::GetStatisticsResponse& statistics);

// One cell of CSV. What a spreadsheet would take for a formula gets a quote in
// front of it: names are candidates' words.
std::string CsvCell(std::string_view text);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_OVERVIEW_VIEW_H_
