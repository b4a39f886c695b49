#include "runner/suite/format.h"

#include <functional>
#include <vector>

#include "runner/suite/yaml_tree.h"

namespace assay::suite {
namespace {

using Lines = std::vector<std::string>;

Lines Split(std::string_view text) {
  Lines lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string Join(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

bool Blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

std::size_t IndentOf(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Whether a block of literal text follows: the line ends in | or >, with its
// marks.
bool OpensBlock(const std::string& line) {
  const std::size_t last = line.find_last_not_of(" \t\r+-0123456789");
  return last != std::string::npos && last > 0 &&
         (line[last] == '|' || line[last] == '>') && line[last - 1] == ' ';
}

// Lines of literal text, whose blanks belong to a value.
std::vector<bool> Literal(const Lines& lines) {
  std::vector<bool> literal(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!OpensBlock(lines[i])) continue;
    const std::size_t indent = IndentOf(lines[i]);
    while (i + 1 < lines.size() &&
           (Blank(lines[i + 1]) || IndentOf(lines[i + 1]) > indent)) {
      literal[++i] = true;
    }
  }
  return literal;
}

Lines TrimEnds(Lines lines) {
  const std::vector<bool> literal = Literal(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string& line = lines[i];
    if (literal[i]) continue;
    line.erase(line.find_last_not_of(" \t\r") + 1);
  }
  return lines;
}

Lines DropRepeatedBlanks(Lines lines) {
  const std::vector<bool> literal = Literal(lines);
  Lines out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string& line = lines[i];
    if (!literal[i] && Blank(line) && (out.empty() || Blank(out.back())))
      continue;
    out.push_back(std::move(line));
  }
  while (!out.empty() && Blank(out.back())) out.pop_back();
  return out;
}

Lines SpaceComments(Lines lines) {
  const std::vector<bool> literal = Literal(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string& line = lines[i];
    if (literal[i]) continue;
    const std::size_t hash = line.find_first_not_of(' ');
    if (hash == std::string::npos || line[hash] != '#') continue;
    const std::size_t next = line.find_first_not_of('#', hash);
    if (next != std::string::npos && next == hash + 1 && line[next] != ' ' &&
        line[next] != '!') {
      line.insert(next, " ");
    }
  }
  return lines;
}

// Whether a part of the suite, or a check, begins here.
bool Opens(const std::string& line) {
  if (line.starts_with("  - id:")) return true;
  static constexpr std::string_view kParts[] = {
      "service:", "sidecars:", "upstreams:", "secrets:", "vars:",
      "flows:",   "checks:",   "limits:",    "criteria:"};
  for (const std::string_view part : kParts) {
    if (line.starts_with(part)) return true;
  }
  return false;
}

Lines SpaceParts(Lines lines) {
  Lines out;
  for (std::string& line : lines) {
    if (Opens(line) && !out.empty() && !Blank(out.back()) &&
        !out.back().ends_with(":")) {
      // Above the comment that belongs to it.
      std::size_t at = out.size();
      while (at > 0 && !Blank(out[at - 1]) &&
             out[at - 1][out[at - 1].find_first_not_of(' ')] == '#') {
        --at;
      }
      if (at > 0 && !Blank(out[at - 1]) && !out[at - 1].ends_with(":")) {
        out.insert(out.begin() + static_cast<std::ptrdiff_t>(at), "");
      }
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace

std::expected<std::string, Diagnostics> FormatSuite(std::string_view text) {
  const auto meaning =
      [](const std::string& yaml,
         Diagnostics& diagnostics) -> std::optional<nlohmann::json> {
    const auto tree =
        ParseYaml("assay.yaml", yaml, diagnostics, {.any_key = true});
    if (tree == nullptr || !diagnostics.empty()) return std::nullopt;
    return ToJson(*tree);
  };
  Diagnostics diagnostics;
  std::string current(text);
  const auto before = meaning(current, diagnostics);
  if (!before) return std::unexpected(diagnostics);
  const std::vector<std::function<Lines(Lines)>> kPasses = {
      TrimEnds, DropRepeatedBlanks, SpaceComments, SpaceParts};
  for (const auto& pass : kPasses) {
    const std::string next = Join(pass(Split(current)));
    Diagnostics ignored;
    // A text over several lines may hold what looks like layout.
    if (meaning(next, ignored) == before) current = next;
  }
  return current;
}

}  // namespace assay::suite
