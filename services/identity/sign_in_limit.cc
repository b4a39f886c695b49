#include "services/identity/sign_in_limit.h"

#include <algorithm>

namespace assay::identity {

std::vector<SignInLimit::Key> SignInLimit::KeysOf(const std::string& name,
                                                  const std::string& address) {
  return {{"both " + address + " " + name, kPerNameAndAddress},
          {"name " + name, kPerName},
          {"address " + address, kPerAddress}};
}

void SignInLimit::Forget(Clock::TimePoint now) {
  std::erase_if(failures_, [now](const auto& entry) {
    return entry.second.empty() || entry.second.back() + kWindow <= now;
  });
  // A flood of names: the limit of its address holds, and that key is hot.
  while (failures_.size() > kMaxKeys)
    failures_.erase(std::ranges::min_element(
        failures_, {}, [](const auto& entry) { return entry.second.back(); }));
}

Status SignInLimit::Admit(const std::string& name, const std::string& address) {
  const Clock::TimePoint now = clock_.Now();
  if (failures_.size() > kMaxKeys) Forget(now);
  const auto keys = KeysOf(name, address);
  for (const Key& key : keys) {
    Times& times = failures_[key.text];
    std::erase_if(times, [now](auto time) { return time + kWindow <= now; });
    if (times.size() < key.most) continue;
    const auto wait = std::chrono::ceil<std::chrono::seconds>(
        times[times.size() - key.most] + kWindow - now);
    return Fail(Code::kResourceExhausted,
                "too many tries to sign in; try again in ", wait.count(), " s");
  }
  for (const Key& key : keys) failures_[key.text].push_back(now);
  return {};
}

void SignInLimit::Succeeded(const std::string& name,
                            const std::string& address) {
  // Who knows the password may have mistyped it before; what others did
  // elsewhere still counts.
  const auto keys = KeysOf(name, address);
  failures_.erase(keys.front().text);
  for (const Key& key : keys) {
    const auto it = failures_.find(key.text);
    if (it != failures_.end() && !it->second.empty()) it->second.pop_back();
  }
}

}  // namespace assay::identity
