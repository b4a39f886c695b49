#include "runner/suite/nearest.h"

#include <algorithm>
#include <cctype>

namespace assay::suite {
namespace {

// Optimal string alignment: insert, delete, replace, swap neighbours.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(
      a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

std::string Folded(std::string_view text) {
  std::string folded;
  for (const char c : text) {
    if (c == '_' || c == '-') continue;
    folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

}  // namespace

std::string Nearest(std::string_view word,
                    const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > 64) return "";
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, (word.size() + 1) / 3);
  const std::string folded = Folded(word);
  bool found = false;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > 64) continue;
    const std::size_t distance = Distance(folded, Folded(candidate));
    if (distance < best_distance || (!found && distance == best_distance)) {
      best = candidate;
      best_distance = distance;
      found = true;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates) {
  const std::string nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?";
}

std::string JoinNames(const std::vector<std::string>& names,
                      std::string_view last) {
  if (names.empty()) return "nothing";
  std::string text = names[0];
  for (std::size_t i = 1; i < names.size(); ++i) {
    text += i + 1 == names.size() ? " " + std::string(last) + " " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace assay::suite
