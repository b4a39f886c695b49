#include "services/storage/tables/needs.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace assay::storage {
namespace {

bool ParseNumber(std::string_view text, std::int64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number >= 0;
}

// One word of a text of needs; false where it is none.
bool ParseWord(std::string_view word, Needs& needs) {
  constexpr std::string_view kLabel = "label:";
  const bool label = word.starts_with(kLabel);
  if (label) word.remove_prefix(kLabel.size());
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = word.substr(0, equals);
  const std::string_view value = word.substr(equals + 1);
  if (label) {
    if (!IsLabelText(key) || !IsLabelText(value)) return false;
    return needs.labels.emplace(key, value).second;
  }
  if (key == "cpus") return ParseNumber(value, needs.milli_cpus);
  if (key == "memory") return ParseNumber(value, needs.memory_bytes);
  if (key != "pool" || !IsLabelText(value)) return false;
  needs.pool = value;
  return true;
}

// 2 as "2", 1.5 as "1.5".
std::string Short(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", number);
  return text;
}

}  // namespace

bool IsLabelText(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             "._-") == std::string_view::npos;
}

std::string LabelProblem(const std::string& pool,
                         const std::map<std::string, std::string>& labels) {
  constexpr const char* kExpected = "expected 1 to 63 of [A-Za-z0-9._-]";
  if (!pool.empty() && !IsLabelText(pool))
    return "the pool is \"" + pool.substr(0, 100) + "\", " + kExpected;
  if (labels.size() > kMaxLabels)
    return "there are " + std::to_string(labels.size()) +
           " labels, expected at most " + std::to_string(kMaxLabels);
  for (const auto& [key, value] : labels)
    if (!IsLabelText(key) || !IsLabelText(value))
      return "a label is \"" + key.substr(0, 100) + "=" + value.substr(0, 100) +
             "\", " + kExpected + " on both sides of the `=`";
  return {};
}

std::string FormatNeeds(const Needs& needs) {
  std::string text;
  const auto add = [&](const std::string& word) {
    if (!text.empty()) text += ' ';
    text += word;
  };
  if (needs.milli_cpus > 0) add("cpus=" + std::to_string(needs.milli_cpus));
  if (needs.memory_bytes > 0)
    add("memory=" + std::to_string(needs.memory_bytes));
  if (!needs.pool.empty()) add("pool=" + needs.pool);
  for (const auto& [key, value] : needs.labels)
    add("label:" + key + "=" + value);
  return text;
}

Expected<Needs> ParseNeeds(std::string_view text) {
  Needs needs;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (!ParseWord(rest.substr(0, end), needs))
      return InvalidArgument("\"", text.substr(0, 200),
                             "\" does not say what a run needs");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return needs;
}

std::string DescribeNeeds(const Needs& needs) {
  std::string text;
  const auto add = [&](const std::string& word) {
    if (!text.empty()) text += ", ";
    text += word;
  };
  if (needs.milli_cpus > 0)
    add(Short(static_cast<double>(needs.milli_cpus) / 1000) +
        (needs.milli_cpus == 1000 ? " processor" : " processors"));
  if (needs.memory_bytes > 0)
    add(Short(static_cast<double>(needs.memory_bytes) / (1 << 30)) +
        " GiB of memory");
  if (!needs.pool.empty()) add("pool " + needs.pool);
  for (const auto& [key, value] : needs.labels) add(key + "=" + value);
  return text.empty() ? "nothing in particular" : text;
}

}  // namespace assay::storage
