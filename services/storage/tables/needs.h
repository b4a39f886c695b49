#ifndef ASSAY_SERVICES_STORAGE_TABLES_NEEDS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_NEEDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::storage {

// What a run asks of a worker, or what a worker offers.
struct Needs {
  // Thousandths of a processor.
  std::int64_t milli_cpus = 0;
  std::int64_t memory_bytes = 0;
  // Workers of a pool get the runs that name it, and no others. Empty: the
  // pool of all that name none.
  std::string pool;
  // A run's labels are all among its worker's.
  std::map<std::string, std::string> labels;

  bool operator==(const Needs&) const = default;
};

// 1 to 63 of [A-Za-z0-9._-]: pools, and keys and values of labels.
bool IsLabelText(std::string_view text);
// At most so many labels.
inline constexpr std::size_t kMaxLabels = 16;
// What is wrong with these, in a sentence; empty: nothing.
std::string LabelProblem(const std::string& pool,
                         const std::map<std::string, std::string>& labels);

// "cpus=2000 memory=1073741824 pool=gpu label:arch=arm64": equal needs have
// equal texts, and none an empty one.
std::string FormatNeeds(const Needs& needs);
// kInvalidArgument: a text that FormatNeeds does not write.
Expected<Needs> ParseNeeds(std::string_view text);

// For people: "2 processors, 1.5 GiB of memory, pool gpu, arch=arm64".
std::string DescribeNeeds(const Needs& needs);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_NEEDS_H_
