// Plays assay-run: what it does is the name of the plan.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "assay/runner/v1/run_input.pb.h"
#include "runner/worker/event_parser.h"

namespace {

using assay::v1::Run;
using assay::v1::RunEvent;

void Say(const RunEvent& event) {
  const std::string bytes = assay::worker::SerializeDelimited(event);
  if (write(5, bytes.data(), bytes.size()) !=
      static_cast<ssize_t>(bytes.size()))
    std::exit(9);
}

RunEvent Phase(const char* name) {
  RunEvent event;
  event.mutable_phase_started()->set_phase(name);
  return event;
}

RunEvent Finished() {
  RunEvent event;
  event.mutable_finished()->set_outcome(Run::OUTCOME_COMPLETED);
  return event;
}

}  // namespace

int main() {
  assay::runner::v1::RunInput input;
  if (!input.ParseFromFileDescriptor(3)) return 8;
  const std::string& name = input.plan().name();
  Say(Phase("materialise"));
  Say(Phase("build"));
  if (name == "crash") {
    std::fputs("the parser met \x1b[1m its master\n", stderr);
    raise(SIGABRT);
  }
  if (name == "silent") return 0;
  if (name == "garbage") {
    static_cast<void>(!write(5, "\x05hello", 6));
    pause();
  }
  if (name == "hang") pause();
  if (name == "large") {
    RunEvent log;
    log.mutable_log()->set_content(std::string(512 << 10, 'x'));
    for (int i = 0; i < 40; ++i) Say(log);
  }
  // Until the test lets go of the session.
  if (name == "wait" || name == "wait and crash") {
    char byte;
    static_cast<void>(!read(4, &byte, 1));
  }
  if (name == "wait and crash") raise(SIGABRT);
  Say(Finished());
  // Its end may take a while; the verdict stands.
  if (name == "lingers") pause();
  return 0;
}
