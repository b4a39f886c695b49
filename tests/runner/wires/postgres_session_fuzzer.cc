// Two sessions read the same conversation, one of them in other pieces; they
// must tell the same, whatever the bytes are.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runner/wires/postgres_session.h"
#include "runner/wires/sql_text.h"

namespace {

using assay::wires::PostgresSession;

std::string Tell(PostgresSession& session) {
  std::string told;
  for (const auto& event : session.TakeEvents()) {
    told += std::to_string(event.index()) + ":";
    if (const auto* s = std::get_if<assay::wires::Statement>(&event)) {
      told += s->text + "|" + s->tag + "|" + s->error_code + "|" +
              std::to_string(s->rows) + "|" + std::to_string(s->bytes) + "|" +
              std::to_string(s->parameters.size());
      assay::wires::ReadSql(s->text);
    }
    if (const auto* f = std::get_if<assay::wires::FellBack>(&event)) {
      told += f->reason;
    }
    told += '\n';
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  PostgresSession whole;
  PostgresSession pieces;
  // Each chunk: a byte that says who speaks and how long, then its bytes.
  while (!rest.empty()) {
    const auto head = static_cast<std::uint8_t>(rest[0]);
    rest.remove_prefix(1);
    const std::string_view chunk =
        rest.substr(0, static_cast<std::size_t>(head & 0x7f) + 1);
    rest.remove_prefix(chunk.size());
    const bool client = (head & 0x80) != 0;
    if (client) {
      whole.OnClient(chunk, {});
      for (const char& c : chunk) pieces.OnClient({&c, 1}, {});
    } else {
      whole.OnServer(chunk, {});
      for (const char& c : chunk) pieces.OnServer({&c, 1}, {});
    }
  }
  whole.OnClose({});
  pieces.OnClose({});
  if (Tell(whole) != Tell(pieces)) std::abort();
  return 0;
}
