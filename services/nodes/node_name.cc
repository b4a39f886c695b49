#include "services/nodes/node_name.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "proto/base/id.h"

namespace assay::nodes {
namespace {

constexpr std::size_t kMaxName = 63;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string HostName() {
  std::array<char, 256> buffer{};
  ::gethostname(buffer.data(), buffer.size() - 1);
  std::string name(buffer.data());
  std::erase_if(name, [](char c) { return !IsNameCharacter(c); });
  name.resize(std::min(name.size(), kMaxName));
  return IsNodeName(name) ? name : "node";
}

}  // namespace

bool IsNodeName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         name.front() != '-' && std::ranges::all_of(name, IsNameCharacter);
}

Expected<NodeName> OpenNodeName(const std::filesystem::path& file,
                                const std::string& wanted) {
  if (!wanted.empty() && !IsNodeName(wanted))
    return InvalidArgument("--node is \"", wanted,
                           "\", expected 1 to 63 of [A-Za-z0-9._-]");
  NodeName node;
  if (std::ifstream in(file); in >> node.name >> node.instance) {
    if (wanted.empty() || wanted == node.name) return node;
    return FailedPrecondition(
        "this data directory is node \"", node.name, "\" and --node says \"",
        wanted, "\": repositories are where their node is; leave --node out");
  }
  node.name = wanted.empty() ? HostName() : wanted;
  node.instance = RandomToken();
  const std::filesystem::path draft = file.string() + ".new";
  std::ofstream(draft) << node.name << " " << node.instance << "\n";
  std::error_code error;
  std::filesystem::rename(draft, file, error);
  if (error) return SystemError("write " + file.string(), error.value());
  return node;
}

}  // namespace assay::nodes
