#include "services/cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace assay::cli {
namespace {

std::vector<const CLI::App*> Subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> Options(const CLI::App& app) {
  return app.get_options([](const CLI::Option*) { return true; });
}

std::string Words(const CLI::App& app, const CLI::App& root) {
  std::vector<std::string> words;
  for (const CLI::App* sub : Subcommands(app)) words.push_back(sub->get_name());
  const auto add = [&](const CLI::App& from) {
    for (const CLI::Option* option : Options(from)) {
      for (const auto& name : option->get_lnames())
        words.push_back("--" + name);
    }
  };
  add(app);
  if (&app != &root) add(root);
  return fmt::format("{}", fmt::join(words, " "));
}

// "run watch" -> the words that may follow, for every command.
void AddCases(const CLI::App& app, const CLI::App& root,
              const std::string& path, std::string& out) {
  out += fmt::format("    '{}') words='{}' ;;\n", path, Words(app, root));
  for (const CLI::App* sub : Subcommands(app)) {
    AddCases(*sub, root,
             path.empty() ? sub->get_name() : path + " " + sub->get_name(),
             out);
  }
}

std::string Roff(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (line_start && (c == '.' || c == '\'')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

void AddOptions(const CLI::App& app, std::ostringstream& out) {
  for (const CLI::Option* option : Options(app)) {
    const std::string names = option->get_name(true, true);
    if (names == "-h,--help" || names == "--help") continue;
    out << ".TP\n.B " << Roff(names) << "\n"
        << Roff(option->get_description()) << "\n";
  }
}

void AddCommands(const CLI::App& app, const std::string& path,
                 std::ostringstream& out) {
  for (const CLI::App* sub : Subcommands(app)) {
    const std::string name = path + " " + sub->get_name();
    if (Subcommands(*sub).empty()) {
      out << ".SS " << Roff(name.substr(1)) << "\n"
          << Roff(sub->get_description()) << ".\n";
      AddOptions(*sub, out);
      out << ".PP\n.nf\n" << Roff(sub->get_footer()) << "\n.fi\n";
    } else {
      AddCommands(*sub, name, out);
    }
  }
}

constexpr char kManualHead[] =
    R"(.TH ASSAY 1 "" "Assay" "User commands"
.SH NAME
assay \- take\-home assessments for backend engineers
.SH SYNOPSIS
.B assay
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
.B assay
is for everybody who uses Assay: authors make assignments and try their suites,
candidates accept, clone and submit, reviewers read runs, scores and traces, and
.B assay up
runs the whole of it on one machine.
)";

constexpr char kManualTail[] =
    R"(.SH OUTPUT
Text for people, or JSON with
.BR \-\-json :
one document, or one on a line for what is watched. Messages are Protobuf's JSON
mapping of the public API. Colours and live lines are for terminals only;
.B NO_COLOR
and
.B TERM=dumb
are obeyed. Text that a candidate can influence is printed without control
characters.
.SH EXIT STATUS
.TP
.B 0
It worked.
.TP
.B 1
It worked and the answer is no: a check lost points, a suite has errors.
.TP
.B 2
The command line, or a file that it names, is wrong.
.TP
.B 3
The server refused or failed.
.TP
.B 4
No server answered.
.TP
.B 5
A program of Assay could not be started, or failed.
.SH ENVIRONMENT
.TP
.B ASSAY_SERVER
host:port of the server's gRPC port, or the URL of its web port.
.TP
.B ASSAY_TOKEN
Who you are.
.TP
.B ASSAY_CA
A file with the certificates (PEM) that vouch for an https server.
.TP
.B ASSAY_DATA_DIR
Data directory of
.BR "assay up" ;
its admin token is used where no other is given. Default:
.I ~/.local/share/assay
.TP
.B ASSAY_CANDIDATE_FILE
What
.B assay accept
remembers: the server and the token of the invitation, for commands about the
candidate's own attempt ("me"). Default:
.I ~/.config/assay/candidate.json
.SH SEE ALSO
.BR assayd (8),
.BR assay\-runner (8))";

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::string cases;
  AddCases(app, app, "", cases);
  return fmt::format(
      R"(# bash completion for assay: assay completion bash
_assay() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path='' word words=''
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in -*) continue ;; esac
    case "${{path:+$path }}$word" in
    {}) path="${{path:+$path }}$word" ;;
    esac
  done
  case $path in
{}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _assay assay)",
      [&] {
        std::vector<std::string> paths;
        const auto walk = [&](const auto& self, const CLI::App& from,
                              const std::string& path) -> void {
          for (const CLI::App* sub : Subcommands(from)) {
            const std::string name =
                path.empty() ? sub->get_name() : path + " " + sub->get_name();
            paths.push_back("'" + name + "'");
            self(self, *sub, name);
          }
        };
        walk(walk, app, "");
        return fmt::format("{}", fmt::join(paths, "|"));
      }(),
      cases);
}

std::string ZshCompletion(const CLI::App& app) {
  return "#compdef assay\n"
         "# zsh completion for assay: assay completion zsh\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         BashCompletion(app);
}

std::string ManualPage(const CLI::App& app) {
  std::ostringstream out;
  out << kManualHead << ".SH OPTIONS\n";
  AddOptions(app, out);
  out << ".SH COMMANDS\n";
  AddCommands(app, "", out);
  out << kManualTail;
  return out.str();
}

namespace {

void AddMarkdownCommands(const CLI::App& app, const std::string& path,
                         std::ostringstream& out) {
  for (const CLI::App* sub : Subcommands(app)) {
    const std::string name = path + " " + sub->get_name();
    if (!Subcommands(*sub).empty()) {
      out << "\n## " << name.substr(1) << "\n\n"
          << sub->get_description() << ".\n";
      AddMarkdownCommands(*sub, name, out);
      continue;
    }
    out << (path.empty() ? "\n## " : "\n### ") << name.substr(1) << "\n\n"
        << sub->get_description() << ".\n\n";
    bool any = false;
    for (const CLI::Option* option : Options(*sub)) {
      const std::string names = option->get_name(true, true);
      if (names == "-h,--help" || names == "--help") continue;
      out << "- `" << names << "`: " << option->get_description() << "\n";
      any = true;
    }
    // The footer begins with a line "Examples:".
    const std::string footer = sub->get_footer();
    std::istringstream lines(footer.substr(footer.find('\n') + 1));
    if (any) out << "\n";
    for (std::string line; std::getline(lines, line);)
      out << "    " << line.substr(std::min<std::size_t>(2, line.size()))
          << "\n";
  }
}

}  // namespace

std::string MarkdownPage(const CLI::App& app) {
  std::ostringstream out;
  out << "# The command line\n\nMade by `assay manual --markdown`; "
         "`assay COMMAND --help` says the same.\nEvery command takes these:"
         "\n\n";
  for (const CLI::Option* option : Options(app)) {
    const std::string names = option->get_name(true, true);
    if (names == "-h,--help" || names == "--help") continue;
    out << "- `" << names << "`: " << option->get_description() << "\n";
  }
  out << "\nExit codes: 0 fine, 1 the answer is no, 2 usage, 3 refused by "
         "the server,\n4 no server, 5 a program of ours failed.\n";
  AddMarkdownCommands(app, "", out);
  std::string page = out.str();
  while (page.ends_with('\n')) page.pop_back();
  return page;
}

}  // namespace assay::cli
