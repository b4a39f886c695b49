#include "services/storage/postgres/dsn.h"

#include <libpq-fe.h>

#include <cctype>
#include <memory>

namespace assay::storage {

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == '\n' || c == '\t' || c == ' ' || c == '\r';
    if (!space)
      line.push_back(c);
    else if (!line.empty() && line.back() != ' ')
      line += c == '\n' && std::isalnum(static_cast<unsigned char>(line.back()))
                  ? ". "
                  : " ";
  }
  while (line.ends_with(' ') || line.ends_with('.')) line.pop_back();
  return line;
}

bool IsPostgresDsn(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

Expected<PostgresDsn> ParsePostgresDsn(const std::string& text) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(text.c_str(), &problem), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(problem, PQfreemem);
  if (!options)
    return InvalidArgument(
        "--store cannot be read: ",
        OneLine(problem == nullptr ? "out of memory" : problem),
        "; expected postgres://user@host:port/database");
  PostgresDsn dsn;
  for (const PQconninfoOption* option = options.get();
       option->keyword != nullptr; ++option)
    if (option->val != nullptr) dsn.parameters[option->keyword] = option->val;
  return dsn;
}

std::string PostgresDsn::Describe() const {
  const auto value = [this](const char* keyword) {
    const auto it = parameters.find(keyword);
    return it == parameters.end() ? std::string() : it->second;
  };
  std::string text = "postgres://";
  if (!value("user").empty()) text += value("user") + "@";
  text += value("host");
  if (!value("port").empty()) text += ":" + value("port");
  return text + "/" + value("dbname");
}

}  // namespace assay::storage
