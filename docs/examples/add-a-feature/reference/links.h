// The links, and their rules. Any thread may call.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

struct Link {
  std::string code;
  std::string url;
  long visits = 0;
  // 0: as many as come.
  long max_visits = 0;
};

class Links {
 public:
  // With an alias of its own, or the next free code. Empty: the alias is taken.
  std::optional<Link> Add(const std::string& url, const std::string& alias,
                          long max_visits);

  enum class Visited { kFound, kUnknown, kUsedUp };
  // Counts a visit, and says where it leads.
  Visited Visit(const std::string& code, std::string& url);

  std::optional<Link> Find(const std::string& code) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Link> links_;
  long next_ = 1000;
};

// 3 to 20 small letters, digits and hyphens.
bool IsAlias(const std::string& text);
