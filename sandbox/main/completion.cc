#include <algorithm>
#include <set>

#include "sandbox/main/run_command.h"

namespace assay::sandbox {
namespace {

// Every "--word" of a text.
std::string Options(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz-";
  std::set<std::string_view> found;
  for (std::size_t at = 0; (at = text.find("--", at)) != text.npos;) {
    const auto end =
        std::min(text.find_first_not_of(kLetters, at), text.size());
    if (end > at + 2) found.insert(text.substr(at, end - at));
    at = end;
  }
  std::string words;
  for (const auto option : found) {
    words += words.empty() ? "" : " ";
    words += option;
  }
  return words;
}

}  // namespace

std::string Completion(std::string_view help) {
  return R"(_assay_sandbox() {
  local word=${COMP_WORDS[COMP_CWORD]} i
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W 'run check completion --help --version' -- "$word"))
    return
  fi
  [ "${COMP_WORDS[1]}" = run ] || return
  for ((i = 2; i < COMP_CWORD; i++)); do
    [ "${COMP_WORDS[i]}" = -- ] || continue
    COMPREPLY=($(compgen -c -- "$word"; compgen -f -- "$word"))
    return
  done
  case $word in
    -*) COMPREPLY=($(compgen -W ')" +
         Options(help) + R"(' -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _assay_sandbox assay-sandbox
)";
}

}  // namespace assay::sandbox
