// Flat JSON objects: strings and whole numbers by name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

using Value = std::variant<std::string, long>;
using Object = std::map<std::string, Value>;

// Empty for what is not one flat object.
std::optional<Object> ParseObject(const std::string& text);

std::string Write(const Object& object);
