// For the launcher that tests weaken; no part of any program of ours.

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

constexpr std::array<std::string_view, 29> kNames = {"filter",
                                                     "no_new_privileges",
                                                     "capabilities",
                                                     "bounding_set",
                                                     "user",
                                                     "strict_init",
                                                     "priority",
                                                     "network_namespace",
                                                     "ipc_namespace",
                                                     "host_name_namespace",
                                                     "cgroup_namespace",
                                                     "proc_masks",
                                                     "hidden_processes",
                                                     "old_root_gone",
                                                     "read_only_root",
                                                     "landlock",
                                                     "scratch_bytes",
                                                     "scratch_inodes",
                                                     "memory_limit",
                                                     "memory_kill",
                                                     "pids_limit",
                                                     "cores_limit",
                                                     "open_files_limit",
                                                     "wall_limit",
                                                     "cpu_limit",
                                                     "tree_kill",
                                                     "read_only_mounts",
                                                     "file_size_limit",
                                                     "own_folders"};

}  // namespace

bool Stands(Defence defence) {
  const char* without = std::getenv("ASSAY_WITHOUT");
  if (without == nullptr) return true;
  const std::string names = "," + std::string(without) + ",";
  const auto name = kNames[static_cast<std::size_t>(defence)];
  return names.find("," + std::string(name) + ",") == std::string::npos;
}

}  // namespace assay::sandbox
