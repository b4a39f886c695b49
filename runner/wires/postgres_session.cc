#include "runner/wires/postgres_session.h"

#include <utility>

#include "proto/base/digest.h"
#include "runner/wires/sql_text.h"

namespace assay::wires {
namespace {

std::string Upto(std::string_view text, std::size_t limit) {
  return std::string(text.substr(0, limit));
}

// Numbers in binary form by their type; other types as hex.
std::string ShowBinary(std::string_view bytes, std::int32_t type) {
  constexpr std::int32_t kBool = 16, kInt8 = 20, kInt2 = 21, kInt4 = 23;
  constexpr std::int32_t kText = 25, kVarchar = 1043, kJson = 114;
  FieldReader reader(bytes);
  if (type == kBool && bytes.size() == 1) return reader.Byte() ? "t" : "f";
  if (type == kInt2 && bytes.size() == 2) {
    return std::to_string(reader.Int16());
  }
  if (type == kInt4 && bytes.size() == 4) {
    return std::to_string(reader.Int32());
  }
  if (type == kInt8 && bytes.size() == 8) {
    const auto high = static_cast<std::uint64_t>(reader.Int32());
    const auto low = static_cast<std::uint32_t>(reader.Int32());
    return std::to_string(static_cast<std::int64_t>(high << 32 | low));
  }
  if (type == kText || type == kVarchar || type == kJson) {
    return std::string(bytes);
  }
  return "\\x" + ToHex(bytes);
}

}  // namespace

void PostgresSession::OnClient(std::string_view bytes, Moment now) {
  // A cancel request is a whole connection; what follows is nobody's.
  while (!raw_ && !cancelling_ && !bytes.empty()) {
    if (start_ == Start::kNegotiating) {
      // The client must wait for the answer. One that does not has chosen for
      // itself, and we cannot know what.
      return FallBack("the client did not wait for the answer to SSLRequest");
    }
    if (start_ == Start::kStartup) client_.ExpectStartup();
    MessageCutter::Message message;
    const MessageCutter::Result result = client_.Next(bytes, message);
    inside_ = result != MessageCutter::Result::kMessage;
    switch (result) {
      case MessageCutter::Result::kNeedMore:
        return;
      case MessageCutter::Result::kNotTheProtocol:
        return FallBack("the client does not speak PostgreSQL's protocol");
      case MessageCutter::Result::kMessage:
        if (start_ == Start::kStartup) {
          ClientStartup(message, now);
        } else {
          ClientMessage(message, now);
        }
    }
  }
}

void PostgresSession::OnServer(std::string_view bytes, Moment now) {
  while (!raw_ && !bytes.empty()) {
    if (start_ == Start::kNegotiating) {
      const char answer = bytes.front();
      bytes.remove_prefix(1);
      if (answer != 'N') {
        return FallBack("the connection is encrypted from here on");
      }
      start_ = Start::kStartup;
      continue;
    }
    MessageCutter::Message message;
    switch (server_.Next(bytes, message)) {
      case MessageCutter::Result::kNeedMore:
        return;
      case MessageCutter::Result::kNotTheProtocol:
        return FallBack("the server does not speak PostgreSQL's protocol");
      case MessageCutter::Result::kMessage:
        ServerMessage(message, now);
    }
  }
}

void PostgresSession::OnClose(Moment now) {
  for (const Pending& pending : std::exchange(pending_, {})) {
    const bool runs = pending.kind == Pending::Kind::kExecute ||
                      (pending.kind == Pending::Kind::kSimple &&
                       pending.next < pending.texts.size() && !pending.failed);
    if (!runs) continue;
    Statement statement = Describe(pending, now);
    statement.unanswered = true;
    events_.emplace_back(std::move(statement));
  }
  raw_ = true;
}

std::vector<PostgresEvent> PostgresSession::TakeEvents() {
  return std::exchange(events_, {});
}

void PostgresSession::ClientStartup(const MessageCutter::Message& message,
                                    Moment) {
  FieldReader fields(message.payload);
  const std::int32_t code = fields.Int32();
  if (code == kSslRequest || code == kGssEncRequest) {
    start_ = Start::kNegotiating;
    return;
  }
  if (code == kCancelRequest) {
    cancelling_ = true;
    events_.emplace_back(CancelRequested{fields.Int32()});
    return;
  }
  if (code >> 16 != kProtocolVersion3 >> 16) {
    return FallBack("protocol version " + std::to_string(code >> 16) + "." +
                    std::to_string(code & 0xffff) + " is not known");
  }
  SessionStarted started;
  while (!fields.empty()) {
    const std::string_view name = fields.Text();
    if (name.empty()) break;
    const std::string_view value = fields.Text();
    if (name == "user") started.user = Upto(value, 128);
    if (name == "database") started.database = Upto(value, 128);
    if (name == "application_name") started.application = Upto(value, 128);
  }
  if (started.database.empty()) started.database = started.user;
  start_ = Start::kRunning;
  events_.emplace_back(std::move(started));
}

void PostgresSession::ClientMessage(const MessageCutter::Message& message,
                                    Moment now) {
  using Kind = Pending::Kind;
  const char type = message.type;
  if (type == 'c' || type == 'f') copying_in_ = false;
  if (type == 'd' && copying_in_ && !pending_.empty()) {
    pending_.front().bytes += message.length;
  }
  // While copying in, the server ignores Flush and Sync.
  if (copying_in_ && (type == 'S' || type == 'H')) return;
  if (skip_to_sync_ && type != 'S') return;
  FieldReader fields(message.payload);
  switch (type) {
    case 'Q':
      return ClientQuery(fields.Text(), now);
    case 'P':
      return ClientParse(fields, now);
    case 'B':
      return ClientBind(message, now);
    case 'D':
      return Push({.kind = fields.Byte() == 'S' ? Kind::kDescribeStatement
                                                : Kind::kDescribePortal,
                   .begin = now,
                   .prepared = [&]() -> PreparedPtr {
                     const auto it = prepared_.find(fields.Text());
                     return it == prepared_.end() ? nullptr : it->second;
                   }()});
    case 'E': {
      const auto it = portals_.find(fields.Text());
      PortalPtr portal = it == portals_.end() ? nullptr : it->second;
      return Push({.kind = Kind::kExecute, .begin = now, .portal = portal});
    }
    case 'C':
      return ClientClose(fields, now);
    case 'S':
      skip_to_sync_ = false;
      return Push({.kind = Kind::kSync, .begin = now});
    case 'F':
      return Push({.kind = Kind::kFunction, .begin = now});
    default:
      return;  // Flush, Terminate, passwords, COPY data.
  }
}

void PostgresSession::ClientQuery(std::string_view text, Moment now) {
  Pending query{.kind = Pending::Kind::kSimple, .begin = now};
  for (const std::string_view piece : SplitSql(text)) {
    query.texts.emplace_back(piece);
  }
  // The unnamed statement and portal do not survive a simple query.
  prepared_.erase("");
  portals_.erase("");
  Push(std::move(query));
}

void PostgresSession::ClientParse(FieldReader fields, Moment now) {
  auto prepared = std::make_shared<Prepared>();
  prepared->name = Upto(fields.Text(), 256);
  prepared->text = fields.Text();
  const int types = fields.Int16();
  for (int i = 0; i < types && fields.ok(); ++i) {
    if (prepared->types.size() < Statement::kParameters) {
      prepared->types.push_back(fields.Int32());
    }
  }
  // Known from now on: a pipelining client binds before the server has
  // answered. A client that prepares without end only loses texts in the
  // trace.
  if (prepared_.size() >= kPrepared) prepared_.erase(prepared_.begin());
  prepared_[prepared->name] = prepared;
  Push({.kind = Pending::Kind::kParse, .begin = now, .prepared = prepared});
}

void PostgresSession::ClientBind(const MessageCutter::Message& message,
                                 Moment now) {
  FieldReader fields(message.payload);
  const std::string name = Upto(fields.Text(), 256);
  auto portal = std::make_shared<Portal>();
  portal->begin = now;
  if (const auto it = prepared_.find(fields.Text()); it != prepared_.end()) {
    portal->prepared = it->second;
  }
  std::vector<std::int16_t> formats(
      static_cast<std::size_t>(std::max<int>(fields.Int16(), 0)));
  for (auto& format : formats) format = fields.Int16();
  const int count = fields.Int16();
  for (int i = 0; i < count && fields.ok(); ++i) {
    if (portal->parameters.size() >= Statement::kParameters) break;
    const std::int32_t length = fields.Int32();
    Statement::Parameter parameter;
    if (fields.ok() && length >= 0) {
      const std::string_view bytes =
          fields.Bytes(static_cast<std::size_t>(length));
      const auto at = static_cast<std::size_t>(i);
      const std::int16_t format = formats.size() == 1   ? formats[0]
                                  : at < formats.size() ? formats[at]
                                                        : std::int16_t{0};
      const std::int32_t type =
          portal->prepared && at < portal->prepared->types.size()
              ? portal->prepared->types[at]
              : 0;
      parameter.truncated =
          !fields.ok() || bytes.size() > Statement::kParameterBytes;
      const std::string_view kept = bytes.substr(0, Statement::kParameterBytes);
      parameter.value =
          format == 0 ? std::string(kept) : ShowBinary(kept, type);
    }
    portal->parameters.push_back(std::move(parameter));
  }
  if (portals_.size() >= kPrepared) portals_.erase(portals_.begin());
  portals_[name] = portal;
  Push({.kind = Pending::Kind::kBind,
        .begin = now,
        .prepared = portal->prepared,
        .portal = portal});
}

void PostgresSession::ClientClose(FieldReader fields, Moment now) {
  const bool statement = fields.Byte() == 'S';
  const std::string name(fields.Text());
  if (statement) {
    prepared_.erase(name);
  } else {
    portals_.erase(name);
  }
  Push({.kind = Pending::Kind::kClose, .begin = now});
}

void PostgresSession::Push(Pending pending) {
  if (pending_.size() >= kPending) {
    return FallBack("more than " + std::to_string(kPending) +
                    " operations are under way");
  }
  pending_.push_back(std::move(pending));
}

void PostgresSession::FallBack(std::string reason) {
  raw_ = true;
  pending_.clear();
  prepared_.clear();
  portals_.clear();
  events_.emplace_back(FellBack{std::move(reason)});
}

Statement PostgresSession::Describe(const Pending& pending, Moment now) const {
  Statement statement;
  statement.begin = pending.begin;
  statement.end_nanos = now.nanos;
  statement.transaction = transaction_;
  statement.rows = pending.rows;
  statement.bytes = pending.bytes;
  if (pending.kind == Pending::Kind::kSimple) {
    if (pending.next < pending.texts.size()) {
      statement.text = pending.texts[pending.next];
    }
    return statement;
  }
  statement.protocol = Statement::Protocol::kExtended;
  const PreparedPtr& prepared =
      pending.portal ? pending.portal->prepared : pending.prepared;
  if (prepared) {
    statement.text = prepared->text;
    statement.prepared_name = prepared->name;
  }
  if (pending.portal) {
    statement.parameters = pending.portal->parameters;
    statement.begin = pending.portal->begin;
  }
  return statement;
}

}  // namespace assay::wires
