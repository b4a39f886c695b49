#include "runner/sidecars/postgres_installation.h"

#include <charconv>
#include <filesystem>
#include <set>

namespace assay::sidecars {

Expected<PostgresInstallation> FindPostgres(int version) {
  const std::filesystem::path root = "/usr/lib/postgresql";
  std::set<int> installed;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root, ignored)) {
    const std::string name = entry.path().filename();
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (std::filesystem::exists(entry.path() / "bin/postgres", ignored)) {
      installed.insert(number);
    }
  }
  if (!installed.empty() && version == 0) version = *installed.rbegin();
  if (!installed.contains(version)) {
    std::string list;
    for (const int number : installed) {
      list += (list.empty() ? "" : ", ") + std::to_string(number);
    }
    return NotFound("PostgreSQL ", version,
                    " is not installed on this worker (",
                    list.empty() ? "none is" : "there is " + list,
                    "); install postgresql-", version == 0 ? 15 : version);
  }
  return PostgresInstallation{
      version, (root / std::to_string(version) / "bin").string()};
}

}  // namespace assay::sidecars
