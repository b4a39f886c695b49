#include "links.h"

Link Links::Add(const std::string& url) {
  const std::lock_guard lock(mutex_);
  const std::string code = std::to_string(next_++);
  return links_[code] = {code, url};
}

std::optional<Link> Links::Find(const std::string& code) const {
  const std::lock_guard lock(mutex_);
  const auto it = links_.find(code);
  if (it == links_.end()) return {};
  return it->second;
}
