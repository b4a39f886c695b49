#include "sandbox/cell/termination.h"

#include <cstring>

namespace assay::sandbox {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

std::string DescribeSignal(int signal) {
  std::string text = "killed by signal " + std::to_string(signal);
  if (const char* name = ::sigabbrev_np(signal)) {
    text += std::string(" (SIG") + name + ")";
  }
  return text;
}

std::string DescribeFault(const SetupFault& fault) {
  std::string text = "could not be set up: ";
  text += SetupStepName(fault.step);
  if (fault.error_number != 0) {
    text += std::string(": ") + ::strerrordesc_np(fault.error_number);
  }
  return text;
}

}  // namespace

std::string_view SetupStepName(SetupStep step) {
  switch (step) {
    case SetupStep::kNone:
      return "none";
    case SetupStep::kClone:
      return "clone";
    case SetupStep::kIdMap:
      return "id map";
    case SetupStep::kCgroup:
      return "cgroup";
    case SetupStep::kVolume:
      return "volume";
    case SetupStep::kSource:
      return "mount source";
    case SetupStep::kMount:
      return "mount";
    case SetupStep::kOverlay:
      return "overlay";
    case SetupStep::kProc:
      return "/proc";
    case SetupStep::kDev:
      return "/dev";
    case SetupStep::kPivot:
      return "pivot_root";
    case SetupStep::kLoopback:
      return "loopback";
    case SetupStep::kHostname:
      return "host name";
    case SetupStep::kNamespaces:
      return "namespaces";
    case SetupStep::kPipes:
      return "pipes";
    case SetupStep::kIdentity:
      return "identity";
    case SetupStep::kRlimit:
      return "rlimit";
    case SetupStep::kCapabilities:
      return "capabilities";
    case SetupStep::kWorkingDirectory:
      return "working directory";
    case SetupStep::kWriteFence:
      return "write fence";
    case SetupStep::kSeccomp:
      return "seccomp";
    case SetupStep::kExec:
      return "exec";
    case SetupStep::kLauncherGone:
      return "the launcher is gone";
  }
  return "unknown step";
}

std::string_view EndingName(const Ending& ending) {
  return std::visit(
      Overloaded{
          [](const Exited&) { return std::string_view("exited"); },
          [](const Signalled&) { return std::string_view("signalled"); },
          [](const WallTimeout&) { return std::string_view("wall_timeout"); },
          [](const CpuTimeout&) { return std::string_view("cpu_timeout"); },
          [](const OutOfMemory&) { return std::string_view("out_of_memory"); },
          [](const OutputLimit&) { return std::string_view("output_limit"); },
          [](const SetupFault&) { return std::string_view("setup_fault"); },
      },
      ending);
}

std::string Describe(const Ending& ending) {
  return std::visit(
      Overloaded{
          [](const Exited& e) {
            return "exited with code " + std::to_string(e.code);
          },
          [](const Signalled& e) { return DescribeSignal(e.signal); },
          [](const WallTimeout&) {
            return std::string("stopped at its wall time limit");
          },
          [](const CpuTimeout&) {
            return std::string("stopped at its CPU time limit");
          },
          [](const OutOfMemory&) {
            return std::string("stopped at its memory limit");
          },
          [](const OutputLimit&) {
            return std::string("stopped at its output limit");
          },
          [](const SetupFault& e) { return DescribeFault(e); },
      },
      ending);
}

}  // namespace assay::sandbox
