#ifndef ASSAY_TESTS_RUNNER_WIRES_POSTGRES_SCRIPT_H_
#define ASSAY_TESTS_RUNNER_WIRES_POSTGRES_SCRIPT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/wires/postgres_messages.h"

// Messages of PostgreSQL's protocol as bytes, for scripts of a connection.
namespace assay::wires::script {

inline std::string Message(char type, std::string_view payload) {
  std::string out;
  AppendMessage(out, type, payload);
  return out;
}
inline std::string Z(std::string_view text) { return std::string(text) + '\0'; }

// The client's side.
inline std::string Startup(std::string_view user, std::string_view database) {
  std::string payload;
  AppendInt32(payload, kProtocolVersion3);
  payload += Z("user") + Z(user) + Z("database") + Z(database) + '\0';
  return Message('\0', payload);
}
inline std::string StartupCode(std::int32_t code, std::string_view rest = {}) {
  std::string payload;
  AppendInt32(payload, code);
  payload += rest;
  return Message('\0', payload);
}
inline std::string Query(std::string_view sql) { return Message('Q', Z(sql)); }
inline std::string Parse(std::string_view name, std::string_view sql,
                         std::vector<std::int32_t> types = {}) {
  std::string payload = Z(name) + Z(sql);
  AppendInt16(payload, static_cast<std::int16_t>(types.size()));
  for (const std::int32_t type : types) AppendInt32(payload, type);
  return Message('P', payload);
}
inline std::string Bind(std::string_view portal, std::string_view name,
                        const std::vector<std::optional<std::string>>& values,
                        std::int16_t format = 0) {
  std::string payload = Z(portal) + Z(name);
  AppendInt16(payload, 1);
  AppendInt16(payload, format);
  AppendInt16(payload, static_cast<std::int16_t>(values.size()));
  for (const auto& value : values) {
    AppendInt32(payload, value ? static_cast<std::int32_t>(value->size()) : -1);
    if (value) payload += *value;
  }
  AppendInt16(payload, 0);
  return Message('B', payload);
}
inline std::string DescribePortal(std::string_view name = "") {
  return Message('D', "P" + Z(name));
}
inline std::string DescribeStatement(std::string_view name) {
  return Message('D', "S" + Z(name));
}
inline std::string Execute(std::string_view portal = "") {
  std::string payload = Z(portal);
  AppendInt32(payload, 0);
  return Message('E', payload);
}
inline std::string Sync() { return Message('S', ""); }
inline std::string CopyData(std::string_view data) {
  return Message('d', data);
}
inline std::string CopyDone() { return Message('c', ""); }

// The server's side.
inline std::string Ready(char state = 'I') {
  return Message('Z', std::string(1, state));
}
inline std::string Complete(std::string_view tag) {
  return Message('C', Z(tag));
}
inline std::string Row(std::string_view payload = "row") {
  return Message('D', payload);
}
inline std::string ParseComplete() { return Message('1', ""); }
inline std::string BindComplete() { return Message('2', ""); }
inline std::string NoData() { return Message('n', ""); }
inline std::string RowDescription() { return Message('T', "...."); }
inline std::string CopyIn() { return Message('G', std::string(3, '\0')); }
inline std::string Failed(std::string_view code, std::string_view message) {
  return Message('E',
                 "S" + Z("ERROR") + "C" + Z(code) + "M" + Z(message) + '\0');
}
inline std::string LoggedIn() {
  return Message('R', std::string(4, '\0')) +
         Message('S', Z("server_version") + Z("15")) +
         Message('K', std::string(8, '\1')) + Ready();
}

}  // namespace assay::wires::script

#endif  // ASSAY_TESTS_RUNNER_WIRES_POSTGRES_SCRIPT_H_
