#include <re2/re2.h>

#include "runner/assertions/evaluator.h"
#include "runner/suite/json_text.h"
#include "runner/suite/jsonpath.h"
#include "runner/suite/utf8.h"

namespace assay::assertions {
namespace {

using nlohmann::json;
using plan::v1::Capture;

std::unexpected<Failure> Missing(const Capture& capture,
                                 const std::string& found) {
  return std::unexpected(Failure{
      suite::Shorten("cannot capture " + capture.name() + ": " + found, 500),
      "", "", capture.position()});
}

std::expected<json, Failure> FromHeader(const Capture& capture,
                                        const HttpAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (name == capture.header()) return json(value);
  }
  return Missing(capture, "the answer has no header " + capture.header());
}

std::expected<json, Failure> FromCookie(const Capture& capture,
                                        const HttpAnswer& answer) {
  const std::string start = capture.cookie() + "=";
  for (const auto& [name, value] : answer.headers) {
    if (name != "set-cookie" || !value.starts_with(start)) continue;
    return json(value.substr(start.size(), value.find(';') - start.size()));
  }
  return Missing(capture, "the answer sets no cookie " + capture.cookie());
}

std::expected<json, Failure> FromRegex(const Capture& capture,
                                       const std::string& body) {
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern(capture.regex(), options);
  if (!pattern.ok()) return Missing(capture, pattern.error());
  re2::StringPiece groups[2];
  if (!pattern.Match(body, 0, body.size(), RE2::UNANCHORED, groups,
                     pattern.NumberOfCapturingGroups() > 0 ? 2 : 1)) {
    return Missing(capture, "nothing in the body matches " + capture.regex());
  }
  const re2::StringPiece found =
      pattern.NumberOfCapturingGroups() > 0 ? groups[1] : groups[0];
  return json(
      std::string(found.data() == nullptr ? "" : found.data(), found.size()));
}

}  // namespace

std::expected<json, Failure> TakeCapture(const Capture& capture,
                                         const json& document) {
  const auto path = suite::JsonPath::Parse(capture.jsonpath());
  if (!path) return Missing(capture, path.error().message);
  const auto nodes = path->Select(document);
  if (!nodes) return Missing(capture, nodes.error().message);
  if (nodes->empty()) {
    return Missing(capture, "there is nothing at " + capture.jsonpath() +
                                " in " + suite::JsonText(document, 200));
  }
  return *nodes->front().value;
}

std::expected<json, Failure> TakeCapture(const Capture& capture,
                                         const HttpAnswer& answer) {
  switch (capture.source_case()) {
    case Capture::kHeader:
      return FromHeader(capture, answer);
    case Capture::kCookie:
      return FromCookie(capture, answer);
    case Capture::kRegex:
      return FromRegex(capture, answer.body);
    case Capture::kStatus:
      return json(answer.status);
    case Capture::kBody:
      return json(answer.body);
    default:
      break;
  }
  if (answer.body_truncated) {
    return Missing(capture, "the body is longer than what is kept");
  }
  const auto document = suite::ParseJson(answer.body);
  if (!document) {
    return Missing(capture, answer.body.empty()
                                ? "the body is empty"
                                : "the body is " + document.error().message);
  }
  return TakeCapture(capture, *document);
}

}  // namespace assay::assertions
