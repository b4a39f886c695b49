// assay-sandbox: one command in one cell, from the shell. The man page
// docs/man/assay-sandbox.1 is its specification.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/hostcheck/host_check.h"
#include "sandbox/main/run_command.h"
#include "sandbox/main/run_options.h"

namespace {

using namespace assay::sandbox;

constexpr int kOurFault = 125;

constexpr std::string_view kHelp =
    R"(assay-sandbox: runs a command that is not trusted

usage: assay-sandbox run [options] [--] CMD...
       assay-sandbox check
       assay-sandbox completion
       assay-sandbox --help | --version

what the command sees
  --root host|DIR|oci:LAYOUT[:TAG]
                         the root file system (default: this machine's /usr);
                         a directory or image stays as it is, changes to it
                         go to --disk
  --cache DIR            where images are unpacked, once
                         (default: ~/.cache/assay/images)
  --ro SRC[:DST]         a file or directory of this machine, read-only
  --rw SRC[:DST]         the same, writable
  --tmpfs DST:SIZE       an empty directory in memory
  --env NAME=VALUE       a variable; PATH and HOME are set, nothing else
  --cwd DIR              working directory (default: /)
  --net none|loopback    network (default: loopback)
  --net egress=HOST:PORT[/private],...
                         loopback, and a proxy that reaches these places only;
                         private: although the address is not a public one
  --hostname NAME        host name (default: cell)

limits (none unless given; --disk is 64MiB, --inodes 20000, --open-files 4096)
  --wall TIME            e.g. 2s, 500ms
  --cpu TIME             CPU time of everything the command starts
  --cores N              share of the machine's processors
  --io-rate SIZE         a second, read from a disk and written to one
  --memory SIZE          e.g. 256MiB
  --pids N               processes and threads
  --disk SIZE            /tmp, /dev/shm and changes of the root together
  --inodes N             files in there
  --file-size SIZE       of one file
  --open-files N         per process
  --output SIZE          of standard output and of standard error
  --allow-weaker NAMES   go on where the host cannot enforce these limits:
                         memory,pids,cores,cpu-time,io or all

streams and result
  --stdin FILE  --stdout FILE  --stderr FILE
  --json FILE|-          the result as one line of JSON
  --explain              print what would be done, and do nothing

exit status: the command's; 128+n killed by signal n; 122 output limit,
123 memory, 124 time limit, 125 our fault, 126 not executable, 127 not found

example: assay-sandbox run --wall 2s --memory 256MiB --ro . --cwd "$PWD" -- \
           python3 solution.py
)";

// Before the command runs: afterwards is late to hear that it will not be
// recorded, and this process may stand elsewhere by then.
std::FILE* OpenResult(const std::string& path) {
  return path == "-" ? stdout : std::fopen(path.c_str(), "we");
}

bool WriteResult(std::FILE* file, const assay::Expected<RunResult>& result) {
  if (file == nullptr) return true;
  const std::string json =
      result ? ResultJson(*result) : FaultJson(result.error());
  const bool written = std::fputs(json.c_str(), file) >= 0;
  return (file == stdout ? std::fflush(file) : std::fclose(file)) == 0 &&
         written;
}

int Fail(const std::string& message) {
  std::fprintf(stderr, "assay-sandbox: %s\n", message.c_str());
  return kOurFault;
}

// With the name of what the caller asked for and is not there.
std::string Reason(const Ending& ending, const RunOptions& options) {
  const auto* fault = std::get_if<SetupFault>(&ending);
  const ProcessSpec& process = options.cell.processes[0];
  const auto because = [fault](const std::string& what) {
    const char* reason = ::strerrordesc_np(fault->error_number);
    return what + ": " + (reason != nullptr ? reason : "unknown error");
  };
  if (fault != nullptr && fault->step == SetupStep::kExec) {
    return because("cannot run '" + process.arguments[0] + "' in the cell");
  }
  if (fault != nullptr && fault->step == SetupStep::kWorkingDirectory) {
    return because("--cwd: cannot use '" + process.working_directory +
                   "' in the cell");
  }
  return Describe(ending);
}

int Run(const std::vector<std::string_view>& words) {
  const auto options = ParseRunOptions(words);
  if (!options) return Fail(options.error().message);
  if (options->explain) {
    std::fputs(Explain(*options).c_str(), stdout);
    return 0;
  }
  std::FILE* file = nullptr;
  if (!options->json_path.empty()) {
    file = OpenResult(options->json_path);
    if (file == nullptr) {
      return Fail("cannot write '" + options->json_path +
                  "': " + ::strerrordesc_np(errno));
    }
  }
  const auto result = RunCommand(*options);
  if (!WriteResult(file, result)) {
    return Fail("cannot write '" + options->json_path +
                "': " + ::strerrordesc_np(errno));
  }
  if (!result) return Fail(result.error().message);
  const Ending& ending = result->termination.ending;
  if (!std::holds_alternative<Exited>(ending)) {
    std::fprintf(stderr, "assay-sandbox: %s\n",
                 Reason(ending, *options).c_str());
  }
  for (const StreamResult* stream : {&result->out, &result->err}) {
    if (stream->write_error == 0) continue;
    return Fail(std::string("cannot write what the command put out: ") +
                ::strerrordesc_np(stream->write_error));
  }
  return ExitStatus(ending);
}

int Check() {
  bool missing = false;
  for (const auto& finding : CheckHost()) {
    std::printf("%-8s %-24s %s\n", StandingName(finding.standing),
                finding.name.c_str(), finding.found.c_str());
    if (!finding.advice.empty()) {
      std::printf("         -> %s\n", finding.advice.c_str());
    }
    missing = missing || finding.standing == Standing::kMissing;
  }
  return missing ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string_view> words(argv + 1, argv + argc);
  const std::string_view command = words.empty() ? "" : words[0];
  if (command == "run") {
    words.erase(words.begin());
    return Run(words);
  }
  if (command == "check") {
    if (words.size() == 1) return Check();
    return Fail("check takes no options, found '" + std::string(words[1]) +
                "'");
  }
  if (command == "completion" && words.size() == 1) {
    // What the help lists is what is completed.
    const std::string script = Completion(kHelp);
    std::fwrite(script.data(), 1, script.size(), stdout);
    return 0;
  }
  if (command == "--help" || command == "-h") {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return 0;
  }
  if (command == "--version") {
    std::puts("assay-sandbox " ASSAY_VERSION);
    return 0;
  }
  return Fail("expected run, check or --help" +
              (command.empty() ? std::string()
                               : ", found '" + std::string(command) + "'"));
}
