#ifndef ASSAY_SERVICES_DASHBOARD_ASSETS_H_
#define ASSAY_SERVICES_DASHBOARD_ASSETS_H_

#include "services/gateway/asset.h"

namespace assay::dashboard {

// The dashboard's files, sorted by path; "/index.html" is always among them.
// Built without ASSAY_DASHBOARD, it is a page that says so.
//
// Ownership: static storage. Threads: any.
gateway::Assets Assets();

}  // namespace assay::dashboard

#endif  // ASSAY_SERVICES_DASHBOARD_ASSETS_H_
