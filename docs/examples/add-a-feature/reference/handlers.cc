#include "handlers.h"

#include "json.h"

namespace {

// The text called `name`; empty where there is none. False: it is no text.
bool TakeText(const Object& object, const std::string& name, std::string& text) {
  const auto it = object.find(name);
  if (it == object.end()) return true;
  const auto* value = std::get_if<std::string>(&it->second);
  if (value) text = *value;
  return value != nullptr && !value->empty();
}

bool TakeCount(const Object& object, const std::string& name, long& count) {
  const auto it = object.find(name);
  if (it == object.end()) return true;
  const auto* value = std::get_if<long>(&it->second);
  if (value) count = *value;
  return value != nullptr && *value >= 1;
}

}  // namespace

Answer Problem(int status, const std::string& title) {
  return {status, Write({{"status", static_cast<long>(status)}, {"title", title}}), {}};
}

Answer Create(Links& links, const Request& request) {
  const auto body = ParseObject(request.body);
  if (!body) return Problem(400, "The body is not a flat JSON object");
  std::string url;
  std::string alias;
  long max_visits = 0;
  if (!TakeText(*body, "url", url) || url.rfind("http", 0) != 0) {
    return Problem(422, "url must be an address");
  }
  if (!TakeText(*body, "alias", alias) || (!alias.empty() && !IsAlias(alias))) {
    return Problem(422, "alias must be 3 to 20 small letters, digits or hyphens");
  }
  if (!TakeCount(*body, "max_visits", max_visits)) {
    return Problem(422, "max_visits must be a whole number from 1 on");
  }
  const auto link = links.Add(url, alias, max_visits);
  if (!link) return Problem(409, "This alias is taken");
  return {201, Write({{"code", link->code}, {"url", link->url}}), {}};
}

Answer Follow(Links& links, const std::string& code) {
  std::string url;
  switch (links.Visit(code, url)) {
    case Links::Visited::kFound:
      return {302, "", {{"Location", url}}};
    case Links::Visited::kUsedUp:
      return Problem(410, "This link has been used up");
    default:
      return Problem(404, "There is no such link");
  }
}

Answer Statistics(Links& links, const std::string& code) {
  const auto link = links.Find(code);
  if (!link) return Problem(404, "There is no such link");
  return {200, Write({{"code", link->code}, {"visits", link->visits}}), {}};
}
