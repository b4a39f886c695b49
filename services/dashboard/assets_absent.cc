#include "services/dashboard/assets.h"

namespace assay::dashboard {

gateway::Assets Assets() {
  static const gateway::Asset kAssets[] = {
      {"/index.html", "text/html; charset=utf-8", "\"absent\"",
       "<!doctype html><html lang=en><title>Assay</title>"
       "<p>This assayd was built without its dashboard "
       "(ASSAY_DASHBOARD=OFF). The command line, `assay --help`, does the same."
       "</html>\n"},
  };
  return kAssets;
}

}  // namespace assay::dashboard
