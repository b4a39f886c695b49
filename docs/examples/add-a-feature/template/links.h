// The links, and their rules. Any thread may call.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

struct Link {
  std::string code;
  std::string url;
};

class Links {
 public:
  // Under the next free code.
  Link Add(const std::string& url);

  std::optional<Link> Find(const std::string& code) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Link> links_;
  long next_ = 1000;
};
