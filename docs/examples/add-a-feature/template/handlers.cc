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

}  // namespace

Answer Problem(int status, const std::string& title) {
  return {status, Write({{"status", static_cast<long>(status)}, {"title", title}}), {}};
}

Answer Create(Links& links, const Request& request) {
  const auto body = ParseObject(request.body);
  if (!body) return Problem(400, "The body is not a flat JSON object");
  std::string url;
  if (!TakeText(*body, "url", url) || url.rfind("http", 0) != 0) {
    return Problem(422, "url must be an address");
  }
  const Link link = links.Add(url);
  return {201, Write({{"code", link.code}, {"url", link.url}}), {}};
}

Answer Follow(Links& links, const std::string& code) {
  const auto link = links.Find(code);
  if (!link) return Problem(404, "There is no such link");
  return {302, "", {{"Location", link->url}}};
}
