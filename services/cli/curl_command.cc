#include "services/cli/curl_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>
#include <utility>
#include <vector>

#include "services/cli/printable.h"
#include "services/cli/span_attribute.h"

namespace assay::cli {
namespace {

// What curl or the other side sets by itself, and what ties a request to the
// run that it was of.
constexpr std::string_view kNotRepeated[] = {"connection", "content-length",
                                             "host",       "traceparent",
                                             "tracestate", "transfer-encoding"};
constexpr std::string_view kForm = "multipart/form-data";

struct Message {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Header lines, an empty line and the beginning of the body.
Message MessageOf(std::string_view text) {
  Message message;
  // Without headers, the empty line comes first.
  std::size_t end = 0;
  if (!text.starts_with('\n')) {
    const std::size_t gap = text.find("\n\n");
    end = gap == std::string_view::npos ? text.size() : gap + 1;
  }
  for (const std::string_view line : LinesOf(text.substr(0, end))) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    message.headers.emplace_back(line.substr(0, colon),
                                 Trim(line.substr(colon + 1)));
  }
  if (end < text.size()) message.body = text.substr(end + 1);
  return message;
}

// For a shell. Nothing in single quotes means anything to it; what a terminal
// would not show as it is stands in the quotes that bash and others read
// escapes in.
std::string Quoted(std::string_view text) {
  std::string out;
  if (text.find('\t') == std::string_view::npos &&
      Printable(text, Lines::kMany) == text) {
    for (const char c : text) {
      if (c == '\'')
        out += R"('\'')";
      else
        out += c;
    }
    return "'" + out + "'";
  }
  constexpr std::string_view kPlain = " !#$%&()*+,-./:;<=>?@[]^_`{|}~";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return "$'" + out + "'";
}

bool IsWhole(const std::string& body) {
  static const std::regex kCut(
      R"((\n\(and [0-9]+ bytes more\)|^\([0-9]+ bytes, not text\))$)");
  // The end is enough, and a body may be long for an expression.
  constexpr std::size_t kMarkSize = 60;
  const bool short_enough = body.size() <= kMarkSize;
  const std::string end =
      short_enough ? body : body.substr(body.size() - kMarkSize);
  std::smatch found;
  return !std::regex_search(end, found, kCut,
                            short_enough ? std::regex_constants::match_default
                                         : std::regex_constants::match_not_bol);
}

// A credential is named in the record and left out of it.
std::string HeaderWord(const std::string& name, const std::string& value) {
  if (value.empty()) return Quoted(name + ";");
  if (value != "[hidden]") return Quoted(name + ": " + value);
  std::string variable = name;
  for (char& c : variable) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const bool fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fits) c = '_';
  }
  return Quoted(name + ": ") + "\"$" + variable + "\"";
}

bool HasDots(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
    const std::string_view part = path.substr(0, path.find('/'));
    if (part == "." || part == "..") return true;
  }
  return false;
}

void AddBody(const Message& message, bool fields, bool typed,
             std::vector<std::string>& words) {
  if (fields) {
    for (const std::string_view line : LinesOf(message.body)) {
      // "=" before a value that a form field may hold.
      const std::size_t sign = line.find('=');
      const bool file = sign != std::string_view::npos &&
                        line.substr(sign + 1).starts_with('@');
      words.push_back(std::string(file ? "-F " : "--form-string ") +
                      Quoted(line));
    }
    return;
  }
  if (message.body.empty()) return;
  if (!typed) words.emplace_back("-H 'content-type:'");
  words.push_back(IsWhole(message.body) ? "--data-raw " + Quoted(message.body)
                                        : R"(--data-binary @"$BODY_FILE")");
}

}  // namespace

std::string CurlCommand(const otlp::v1::Span& span) {
  const std::string method = AttributeOf(span, "http.request.method");
  const std::string path = AttributeOf(span, "url.path");
  if (method.empty() || !path.starts_with('/')) return "";
  const std::string query = AttributeOf(span, "url.query");
  const std::string address = query.empty() ? path : path + "?" + query;
  const Message message = MessageOf(AttributeOf(span, "assay.http.request"));
  bool typed = false;
  bool fields = false;
  for (const auto& [name, value] : message.headers) {
    if (name != "content-type") continue;
    typed = true;
    fields = fields || value == kForm;
  }
  std::vector<std::string> words = {"curl -i"};
  if (method == "HEAD")
    words.emplace_back("--head");
  else if (method != "GET" || !message.body.empty())
    words.push_back("-X " + Quoted(method));
  // As it was sent: not tidied up, and without a meaning of brackets.
  if (HasDots(path)) words.emplace_back("--path-as-is");
  if (address.find_first_of("[]{}") != std::string::npos)
    words.emplace_back("--globoff");
  for (const auto& [name, value] : message.headers) {
    if (std::ranges::count(kNotRepeated, name) > 0) continue;
    if (fields && name == "content-type") continue;
    words.push_back("-H " + HeaderWord(name, value));
  }
  AddBody(message, fields, typed, words);
  words.push_back("\"$SERVICE\"" + Quoted(address));
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace assay::cli
