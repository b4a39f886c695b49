#include "links.h"

#include <algorithm>

std::optional<Link> Links::Add(const std::string& url, const std::string& alias,
                               long max_visits) {
  const std::lock_guard lock(mutex_);
  std::string code = alias;
  // Somebody's alias may look like a code.
  while (code.empty() || (alias.empty() && links_.count(code))) {
    code = std::to_string(next_++);
  }
  const Link link{code, url, 0, max_visits};
  if (!links_.emplace(code, link).second) return {};
  return link;
}

Links::Visited Links::Visit(const std::string& code, std::string& url) {
  const std::lock_guard lock(mutex_);
  const auto it = links_.find(code);
  if (it == links_.end()) return Visited::kUnknown;
  Link& link = it->second;
  if (link.max_visits > 0 && link.visits >= link.max_visits) return Visited::kUsedUp;
  ++link.visits;
  url = link.url;
  return Visited::kFound;
}

std::optional<Link> Links::Find(const std::string& code) const {
  const std::lock_guard lock(mutex_);
  const auto it = links_.find(code);
  if (it == links_.end()) return {};
  return it->second;
}

bool IsAlias(const std::string& text) {
  return text.size() >= 3 && text.size() <= 20 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}
