#ifndef ASSAY_SERVICES_CLI_CONSOLE_H_
#define ASSAY_SERVICES_CLI_CONSOLE_H_

#include <google/protobuf/message.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

enum class Color { kNone, kGreen, kRed, kYellow, kDim, kBold };

// How output looks: decided once, from the terminal and the environment.
struct Looks {
  // Somebody sees it.
  bool terminal = false;
  bool color = false;
  // Rewriting the current line is possible.
  bool live = false;
  // Columns; what does not fit is shortened where a row must stay a row.
  std::size_t width = 100;
};

// Of standard output: colours and live lines only on a terminal; NO_COLOR and
// TERM=dumb are obeyed (no-color.org).
Looks DetectLooks(int fd);

// Where commands write. Text for people, or JSON for programs: with `json`, a
// command writes nothing but JSON to `out`. What could drive a terminal is
// taken out of everything, whoever wrote it.
//
// Ownership: borrows the streams. Threads: one.
class Console {
 public:
  Console(std::ostream& out, std::ostream& err, Looks looks)
      : out_(out), err_(err), looks_(looks) {}

  const Looks& looks() const { return looks_; }
  bool json() const { return json_; }
  void set_json(bool json) { json_ = json; }
  void set_color(bool color) { looks_.color = color; }

  // One line of result, or several.
  void Line(std::string_view text = "");
  // A document for other programs, byte for byte unless somebody sees it.
  void Document(std::string_view text);
  // One or several JSON values.
  void JsonText(std::string_view json);
  // One line about what goes on; standard error.
  void Note(std::string_view text);
  // Replaces the line that the cursor is on until the next output; nothing
  // where the terminal cannot.
  void Transient(std::string_view text);

  // `message` in Protobuf's JSON mapping, on one line or indented.
  void Json(const google::protobuf::Message& message);
  void JsonLine(const google::protobuf::Message& message);

  // A table with a header row, columns as wide as their widest cell. The last
  // column takes what is left of the width.
  void Table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows);
  // "name  value" rows.
  void Fields(const std::vector<std::pair<std::string, std::string>>& fields);

  // `text` in `color` where colours are on.
  std::string Paint(Color color, std::string_view text) const;

 private:
  void ClearTransient();
  void Write(std::string_view text);

  std::ostream& out_;
  std::ostream& err_;
  Looks looks_;
  bool json_ = false;
  bool transient_ = false;
};

// Protobuf's JSON mapping with enum names and default values left out.
std::string ToJson(const google::protobuf::Message& message, bool indented);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CONSOLE_H_
