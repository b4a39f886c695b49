#include "runner/steps/request.h"

#include <algorithm>
#include <utility>

namespace assay::steps {
namespace {

using assay::plan::v1::Form;
using assay::plan::v1::HttpStep;

bool HasHeader(const HttpRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers, [&](const auto& header) {
    return header.first == name;
  });
}

void DefaultType(HttpRequest& request, const char* type) {
  if (!HasHeader(request, "content-type")) {
    request.headers.emplace_back("content-type", type);
  }
}

Expected<std::string> MakeTarget(const HttpStep& step,
                                 const suite::Scope& scope) {
  ASSAY_ASSIGN_OR_RETURN(std::string target,
                         suite::ExpandText(step.path(), scope));
  if (target.empty() || target[0] != '/') {
    return InvalidArgument("the path \"", target,
                           "\" does not begin with a slash");
  }
  // Bytes that would end the request line; everything else goes as written.
  if (target.find_first_of(std::string_view(" \r\n\t\0", 5)) !=
      std::string::npos) {
    return InvalidArgument("the path \"", target,
                           "\" holds white space: encode it as %20");
  }
  char separator = target.find('?') == std::string::npos ? '?' : '&';
  for (const auto& pair : step.query()) {
    ASSAY_ASSIGN_OR_RETURN(const std::string value,
                           suite::ExpandText(pair.value(), scope));
    target +=
        separator + PercentEncode(pair.name()) + "=" + PercentEncode(value);
    separator = '&';
  }
  return target;
}

Status AddForm(const Form& form, const suite::Scope& scope,
               HttpRequest& request) {
  std::string body;
  for (const auto& field : form.fields()) {
    ASSAY_ASSIGN_OR_RETURN(const std::string value,
                           suite::ExpandText(field.value(), scope));
    if (!body.empty()) body += '&';
    body += PercentEncode(field.name()) + "=" + PercentEncode(value);
  }
  request.body = std::move(body);
  DefaultType(request, "application/x-www-form-urlencoded");
  return {};
}

// `written` says whether a file is meant: a value that a service answered
// cannot.
Expected<HttpRequest::Part> MakePart(const std::string& name, std::string value,
                                     const std::string& written,
                                     const assay::plan::v1::Plan& plan) {
  if (!written.starts_with("@")) {
    return HttpRequest::Part{.name = name, .value = std::move(value)};
  }
  const auto file = plan.files().find(written.substr(1));
  if (file == plan.files().end()) {
    return NotFound("the plan has no file ", written.substr(1));
  }
  return HttpRequest::Part{
      .name = name,
      .value = file->second,
      .filename = written.substr(written.find_last_of("@/") + 1)};
}

Status AddBody(const HttpStep& step, const assay::plan::v1::Plan& plan,
               const suite::Scope& scope, HttpRequest& request) {
  switch (step.body_case()) {
    case HttpStep::kJson: {
      ASSAY_ASSIGN_OR_RETURN(const nlohmann::json body,
                             suite::ExpandJsonText(step.json(), scope));
      request.body =
          body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      DefaultType(request, "application/json");
      return {};
    }
    case HttpStep::kText: {
      ASSAY_ASSIGN_OR_RETURN(request.body,
                             suite::ExpandText(step.text(), scope));
      DefaultType(request, "text/plain; charset=utf-8");
      return {};
    }
    case HttpStep::kFile: {
      const auto file = plan.files().find(step.file());
      if (file == plan.files().end()) {
        return NotFound("the plan has no file ", step.file());
      }
      request.body = file->second;
      DefaultType(request, "application/octet-stream");
      return {};
    }
    case HttpStep::kForm:
      return AddForm(step.form(), scope, request);
    case HttpStep::kMultipart:
      for (const auto& field : step.multipart().fields()) {
        ASSAY_ASSIGN_OR_RETURN(std::string value,
                               suite::ExpandText(field.value(), scope));
        ASSAY_ASSIGN_OR_RETURN(
            HttpRequest::Part part,
            MakePart(field.name(), std::move(value), field.value(), plan));
        request.parts.push_back(std::move(part));
      }
      return {};
    case HttpStep::BODY_NOT_SET:
      return {};
  }
  return {};
}

Status AddCredentials(const HttpStep& step, const suite::Scope& scope,
                      HttpRequest& request) {
  if (step.has_bearer()) {
    ASSAY_ASSIGN_OR_RETURN(const std::string token,
                           suite::ExpandText(step.bearer(), scope));
    request.headers.emplace_back("authorization", "Bearer " + token);
  }
  if (!step.has_basic() && !step.has_digest()) return {};
  const auto& given = step.has_basic() ? step.basic() : step.digest();
  HttpRequest::Credentials credentials{.digest = step.has_digest()};
  ASSAY_ASSIGN_OR_RETURN(credentials.user,
                         suite::ExpandText(given.user(), scope));
  ASSAY_ASSIGN_OR_RETURN(credentials.password,
                         suite::ExpandText(given.password(), scope));
  request.credentials = std::move(credentials);
  return {};
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Expected<HttpRequest> MakeRequest(const HttpStep& step,
                                  const assay::plan::v1::Plan& plan,
                                  const suite::Scope& scope) {
  HttpRequest request;
  request.method = step.method();
  ASSAY_ASSIGN_OR_RETURN(request.target, MakeTarget(step, scope));
  for (const auto& header : step.headers()) {
    ASSAY_ASSIGN_OR_RETURN(std::string value,
                           suite::ExpandText(header.value(), scope));
    request.headers.emplace_back(header.name(), std::move(value));
  }
  ASSAY_RETURN_IF_ERROR(AddBody(step, plan, scope, request));
  ASSAY_RETURN_IF_ERROR(AddCredentials(step, scope, request));
  request.http2 = step.version() == HttpStep::VERSION_2;
  request.body_limit = plan.limits().body_bytes();
  return request;
}

Expected<std::string> TargetOnTheWire(const std::string& url,
                                      const std::string& origin) {
  // The service may well call itself localhost.
  std::string local = origin;
  local.replace(local.find("127.0.0.1"), 9, "localhost");
  for (const std::string& known : {origin, local}) {
    if (!url.starts_with(known)) continue;
    const std::string rest = url.substr(known.size());
    if (rest.empty()) return "/";
    if (rest[0] == '/') return rest;
    if (rest[0] == '?') return "/" + rest;
  }
  return InvalidArgument("redirected to ", url, ", which is not the service");
}

}  // namespace assay::steps
