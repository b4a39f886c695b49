#include <cstdio>

#include "sandbox/cell/launcher.h"
#include "sandbox/main/run_command.h"

namespace assay::sandbox {
namespace {

// Our own texts: ASCII but for what a path may hold.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", byte);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string Milliseconds(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f",
                static_cast<double>(time.count()) / 1e6);
  return text;
}

std::string EndingJson(const Ending& ending) {
  std::string json = "{\"kind\":" + Quoted(EndingName(ending));
  if (const auto* exited = std::get_if<Exited>(&ending)) {
    json += ",\"code\":" + std::to_string(exited->code);
  } else if (const auto* killed = std::get_if<Signalled>(&ending)) {
    json += ",\"signal\":" + std::to_string(killed->signal);
  } else if (const auto* fault = std::get_if<SetupFault>(&ending)) {
    json += ",\"step\":" + Quoted(SetupStepName(fault->step)) +
            ",\"errno\":" + std::to_string(fault->error_number);
  }
  return json + ",\"text\":" + Quoted(Describe(ending)) + "}";
}

std::string StreamJson(const StreamResult& stream) {
  return "{\"bytes\":" + std::to_string(stream.bytes) +
         ",\"truncated\":" + (stream.truncated ? "true" : "false") + "}";
}

std::string LimitsHit(const RunResult& result) {
  std::string list;
  const auto add = [&list](std::string_view name) {
    list += (list.empty() ? "" : ",") + Quoted(name);
  };
  const Ending& ending = result.termination.ending;
  if (std::holds_alternative<WallTimeout>(ending)) add("wall");
  if (std::holds_alternative<CpuTimeout>(ending)) add("cpu");
  if (result.stats.oom_kills > 0) add("memory");
  if (result.stats.pids_refused > 0) add("pids");
  if (result.out.truncated || result.err.truncated) add("output");
  return "[" + list + "]";
}

std::string EgressList(const RunResult& result) {
  std::string list;
  for (const EgressRecord& record : result.egress) {
    const auto nanos = record.end_nanos - record.begin_nanos;
    list += list.empty() ? "" : ",";
    list += "{\"host\":" + Quoted(record.host) +
            ",\"port\":" + std::to_string(record.port) +
            ",\"address\":" + Quoted(record.address) +
            ",\"status\":" + std::to_string(record.status) +
            ",\"problem\":" + Quoted(record.problem) +
            ",\"bytes_up\":" + std::to_string(record.bytes_up) +
            ",\"bytes_down\":" + std::to_string(record.bytes_down) +
            ",\"wall_ms\":" + Milliseconds(std::chrono::nanoseconds(nanos)) +
            "}";
  }
  return "[" + list + "]";
}

std::string WeakerList(std::uint32_t bits) {
  std::string list;
  for (std::uint32_t bit = 1; bit <= kAllWeaknesses; bit <<= 1) {
    if ((bits & bit) == 0) continue;
    list += list.empty() ? "" : ",";
    list += Quoted(WeaknessName(static_cast<Weakness>(bit)));
  }
  return "[" + list + "]";
}

}  // namespace

std::string ResultJson(const RunResult& result) {
  const Usage& usage = result.termination.usage;
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return "{\"termination\":" + EndingJson(result.termination.ending) +
         ",\"wall_ms\":" + Milliseconds(usage.wall) +
         ",\"cpu_user_ms\":" + Milliseconds(usage.cpu_user) +
         ",\"cpu_system_ms\":" + Milliseconds(usage.cpu_system) +
         ",\"memory_peak_bytes\":" + number(usage.memory_peak_bytes) +
         ",\"pids_peak\":" + number(usage.pids_peak) +
         ",\"disk_used_bytes\":" + number(result.stats.disk_bytes) +
         ",\"stdout\":" + StreamJson(result.out) +
         ",\"stderr\":" + StreamJson(result.err) +
         ",\"limits_hit\":" + LimitsHit(result) +
         ",\"egress\":" + EgressList(result) +
         ",\"egress_connections\":" + number(result.egress_connections) +
         ",\"weaker\":" + WeakerList(result.weaker) + "}\n";
}

std::string FaultJson(const Error& error) {
  return "{\"termination\":{\"kind\":\"setup_fault\",\"text\":" +
         Quoted(error.message) + "}}\n";
}

}  // namespace assay::sandbox
