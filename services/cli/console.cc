#include "services/cli/console.h"

#include <google/protobuf/util/json_util.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "services/cli/printable.h"

namespace assay::cli {
namespace {

std::string_view Escape(Color color) {
  switch (color) {
    case Color::kGreen:
      return "\x1b[32m";
    case Color::kRed:
      return "\x1b[31m";
    case Color::kYellow:
      return "\x1b[33m";
    case Color::kDim:
      return "\x1b[2m";
    case Color::kBold:
      return "\x1b[1m";
    case Color::kNone:
      break;
  }
  return "";
}

bool IsSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

Looks DetectLooks(int fd) {
  Looks looks;
  if (!isatty(fd)) return looks;
  looks.terminal = true;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  looks.live = !dumb;
  looks.color = !dumb && !IsSet("NO_COLOR");
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) {
    looks.width = size.ws_col;
  }
  return looks;
}

void Console::ClearTransient() {
  if (!transient_) return;
  out_ << "\r\x1b[K";
  transient_ = false;
}

void Console::Write(std::string_view text) {
  ClearTransient();
  out_ << text << '\n' << std::flush;
}

void Console::Line(std::string_view text) {
  Write(Presentable(text, looks_.color));
}

void Console::Document(std::string_view text) {
  Write(looks_.terminal ? Printable(text, Lines::kMany) : std::string(text));
}

void Console::JsonText(std::string_view json) { Write(PrintableJson(json)); }

void Console::Note(std::string_view text) {
  ClearTransient();
  out_.flush();
  err_ << Presentable(text, looks_.color) << '\n' << std::flush;
}

void Console::Transient(std::string_view text) {
  if (!looks_.live || json_) return;
  out_ << "\r\x1b[K" << Shorten(Printable(text), looks_.width - 1)
       << std::flush;
  transient_ = true;
}

void Console::Json(const google::protobuf::Message& message) {
  JsonText(ToJson(message, true));
}

void Console::JsonLine(const google::protobuf::Message& message) {
  JsonText(ToJson(message, false));
}

void Console::Table(const std::vector<std::string>& header,
                    const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(header.size());
  for (std::size_t i = 0; i < header.size(); ++i) {
    widths[i] = Columns(header[i]);
    for (const auto& row : rows)
      widths[i] = std::max(widths[i], Columns(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      text += PadRight(cells[i], widths[i]) + "  ";
    }
    text += cells.back();
    // A row stays a row, whatever is in its cells.
    std::ranges::replace(text, '\n', ' ');
    return looks_.live ? Shorten(text, looks_.width) : text;
  };
  Line(Paint(Color::kDim, line(header)));
  for (const auto& row : rows) Line(line(row));
}

void Console::Fields(
    const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, Columns(name));
  }
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    Line(Paint(Color::kDim, PadRight(name, width)) + "  " + value);
  }
}

std::string Console::Paint(Color color, std::string_view text) const {
  if (!looks_.color || color == Color::kNone) return std::string(text);
  return std::string(Escape(color)) + std::string(text) + "\x1b[0m";
}

std::string ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return "{}";
  // The indented form ends with a line break of its own.
  while (!json.empty() && json.back() == '\n') json.pop_back();
  return json;
}

}  // namespace assay::cli
