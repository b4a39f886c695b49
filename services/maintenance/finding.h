#ifndef ASSAY_SERVICES_MAINTENANCE_FINDING_H_
#define ASSAY_SERVICES_MAINTENANCE_FINDING_H_

#include <string>
#include <vector>

namespace assay::maintenance {

// One thing that an integrity check has to say.
struct Finding {
  enum class Kind {
    kNote,    // odd and harmless
    kMended,  // was wrong, is right
    kBroken,  // is wrong
  };
  Kind kind = Kind::kNote;
  // "repositories/rep_x", "blobs/12ab…", "store".
  std::string where;
  // A sentence: what was found, what was expected, what to do.
  std::string what;
};

using Findings = std::vector<Finding>;

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_FINDING_H_
