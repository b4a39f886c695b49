#ifndef ASSAY_SERVICES_STORAGE_TABLES_TEMPLATE_OFFERS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_TEMPLATE_OFFERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// A fix of the template on a branch of an attempt's repository.
struct TemplateOfferRecord {
  AttemptId attempt;
  // Of the assignment, whose template is offered.
  std::int32_t version = 0;
  std::string branch;  // "template-v2"
  std::string commit;
  Clock::TimePoint offer_time;
};

class TemplateOfferTable {
 public:
  explicit TemplateOfferTable(sql::Connection& connection)
      : connection_(connection) {}

  // A repeat is accepted: the same version is the same commit.
  Status Put(const TemplateOfferRecord& record);
  // Oldest version first.
  Expected<std::vector<TemplateOfferRecord>> List(const AttemptId& attempt);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_TEMPLATE_OFFERS_H_
