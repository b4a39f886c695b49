#include "services/cli/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

namespace assay::cli {
namespace {

// Keeps the terminal from showing what is typed.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

std::string AskQuietly(const char* question) {
  const NoEcho quiet;
  std::cerr << question << ' ' << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  std::cerr << '\n';
  return answer;
}

Expected<std::string> FirstLineOf(std::istream& input,
                                  const std::string& name) {
  std::string line;
  if (!std::getline(input, line) || line.empty())
    return InvalidArgument(name, " holds no password in its first line");
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

Expected<std::string> ReadPassword(const std::string& file) {
  if (file == "-") return FirstLineOf(std::cin, "standard input");
  if (!file.empty()) {
    std::ifstream input(file);
    return FirstLineOf(input, file);
  }
  if (!isatty(STDIN_FILENO)) return std::string();
  const std::string password = AskQuietly("New password (empty: one is made):");
  if (password.empty()) return password;
  if (AskQuietly("Once more:") != password)
    return InvalidArgument("the two passwords differ; nothing was changed");
  return password;
}

Expected<PasswordChange> ReadPasswordChange(const std::string& file) {
  PasswordChange change;
  if (!file.empty()) {
    std::ifstream opened;
    if (file != "-") opened.open(file);
    std::istream& input = file == "-" ? std::cin : opened;
    ASSAY_ASSIGN_OR_RETURN(change.current, FirstLineOf(input, file));
    ASSAY_ASSIGN_OR_RETURN(change.next, FirstLineOf(input, file));
    return change;
  }
  if (!isatty(STDIN_FILENO))
    return InvalidArgument(
        "there is no terminal to ask for passwords; say --password-file");
  change.current = AskQuietly("Current password:");
  change.next = AskQuietly("New password:");
  if (AskQuietly("Once more:") != change.next)
    return InvalidArgument("the two passwords differ; nothing was changed");
  return change;
}

}  // namespace assay::cli
