#include "runner/suite/diagnostic.h"

namespace assay::suite {

std::string Diagnostic::Text() const {
  std::string text = file;
  if (line > 0) {
    text += ":" + std::to_string(line) + ":" + std::to_string(column);
  }
  return text + (warning ? ": warning: " : ": error: ") + message;
}

std::ostream& operator<<(std::ostream& out, const Diagnostic& diagnostic) {
  return out << diagnostic.Text();
}

std::string ToText(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    text += diagnostic.Text();
    text += '\n';
  }
  return text;
}

}  // namespace assay::suite
