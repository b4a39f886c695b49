#include "runner/suite/json_text.h"

#include <algorithm>

#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

std::size_t DepthOf(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest;
}

// Stops soon after `max` bytes: what is shown of a value must not cost as much
// as the value.
void AppendBounded(const nlohmann::json& value, std::size_t max,
                   std::string& out) {
  using nlohmann::json;
  if (out.size() > max) return;
  if (value.is_string()) {
    // A cut text is longer than `max`, so that its missing end does not show.
    const auto& text = value.get_ref<const std::string&>();
    out += json(std::string_view(text).substr(0, max + 8))
               .dump(-1, ' ', false, json::error_handler_t::replace);
    return;
  }
  if (!value.is_structured() || value.empty()) {
    out += value.dump();
    return;
  }
  const bool object = value.is_object();
  char separator = object ? '{' : '[';
  for (auto it = value.begin(); it != value.end() && out.size() <= max; ++it) {
    out += separator;
    if (object) {
      AppendBounded(json(it.key()), max, out);
      out += ':';
    }
    AppendBounded(*it, max, out);
    separator = ',';
  }
  out += object ? '}' : ']';
}

}  // namespace

Expected<nlohmann::json> ParseJson(std::string_view text) {
  if (DepthOf(text) > kMaxJsonDepth) {
    return InvalidArgument("JSON nested more than ", kMaxJsonDepth,
                           " levels deep");
  }
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    const std::size_t byte = std::min(e.byte, text.size());
    const std::string_view before = text.substr(0, byte);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return InvalidArgument(
        "not JSON at line ", 1 + std::count(before.begin(), before.end(), '\n'),
        ", column ",
        std::max<std::size_t>(1, byte - std::min(line_start, byte)), ": \"",
        Shorten(text.substr(byte == 0 ? 0 : byte - 1), 40), "\"");
  } catch (const nlohmann::json::exception& e) {
    // A number out of range.
    return InvalidArgument("not JSON: ", e.what());
  }
}

std::string JsonText(const nlohmann::json& value, std::size_t max) {
  std::string text;
  AppendBounded(value, max, text);
  return Shorten(text, max);
}

}  // namespace assay::suite
