// The server's half of PostgresSession: matching answers to what was asked.

#include <algorithm>
#include <utility>

#include "runner/wires/postgres_session.h"

namespace assay::wires {

void PostgresSession::ServerMessage(const MessageCutter::Message& message,
                                    Moment now) {
  using Kind = Pending::Kind;
  Pending* head = pending_.empty() ? nullptr : &pending_.front();
  FieldReader fields(message.payload);
  switch (message.type) {
    case '1':
      return Expect(Kind::kParse);
    case '2':
      return Expect(Kind::kBind);
    case '3':
      return Expect(Kind::kClose);
    case 't':
      return ServerTypes(fields);
    case 'T':
    case 'n':
      if (head != nullptr && (head->kind == Kind::kDescribeStatement ||
                              head->kind == Kind::kDescribePortal)) {
        pending_.pop_front();
      }
      return;
    case 'D':
      if (head != nullptr) ++head->rows;
      [[fallthrough]];
    case 'd':
      if (head != nullptr) head->bytes += message.length;
      return;
    case 'C':
      return ServerComplete(fields.Text(), now, false);
    case 'I':
      return ServerComplete("", now, false);
    case 's':
      return ServerComplete("", now, true);
    case 'E':
      return ServerFailed(ReadServerError(message.payload), now);
    case 'G':
      return ServerCopyIn();
    case 'W':
      return FallBack("the connection carries replication from here on");
    case 'Z':
      return ServerReady(static_cast<char>(fields.Byte()));
    default:
      return;  // Notices, notifications, parameters, authentication.
  }
}

void PostgresSession::Expect(Pending::Kind kind) {
  if (!pending_.empty() && pending_.front().kind == kind) {
    pending_.pop_front();
    return;
  }
  FallBack("an answer came that nothing had asked for");
}

void PostgresSession::ServerTypes(FieldReader fields) {
  if (pending_.empty() || !pending_.front().prepared) return;
  auto& types = pending_.front().prepared->types;
  const int count = fields.Int16();
  types.clear();
  for (int i = 0; i < count && fields.ok(); ++i) {
    if (types.size() < Statement::kParameters) types.push_back(fields.Int32());
  }
}

void PostgresSession::ServerComplete(std::string_view tag, Moment now,
                                     bool suspended) {
  if (pending_.empty()) return FallBack("a completion that nothing asked for");
  Pending& head = pending_.front();
  if (head.kind != Pending::Kind::kSimple &&
      head.kind != Pending::Kind::kExecute) {
    return FallBack("a completion in the place of another answer");
  }
  Statement statement = Describe(head, now);
  statement.tag = tag;
  statement.suspended = suspended;
  if (!tag.empty()) statement.rows = std::max(head.rows, RowsOfTag(tag));
  copying_in_ = false;
  // Pipelined statements get no ReadyForQuery of their own.
  if (tag == "BEGIN" || tag == "START TRANSACTION") transaction_ = 'T';
  if (head.kind == Pending::Kind::kExecute) {
    pending_.pop_front();
  } else {
    ++head.next;
    head.rows = 0;
    head.bytes = 0;
    // What follows in the same query begins when this one ends.
    head.begin.nanos = now.nanos;
    // An empty query string is answered too, and is no statement.
    if (statement.text.empty() && tag.empty()) return;
  }
  events_.emplace_back(std::move(statement));
}

void PostgresSession::ServerFailed(const ServerError& error, Moment now) {
  copying_in_ = false;
  if (pending_.empty() || pending_.front().kind == Pending::Kind::kFunction) {
    events_.emplace_back(ConnectionFailed{error});
    return;
  }
  Pending& head = pending_.front();
  Statement statement = Describe(head, now);
  statement.error_code = error.code;
  statement.error_message = error.message.substr(0, 512);
  if (head.kind == Pending::Kind::kSimple) {
    // What was left of the query is not executed; ReadyForQuery follows.
    head.failed = true;
    head.next = head.texts.size();
  } else if (head.kind == Pending::Kind::kSync) {
    // Deferred constraints fail when the implicit transaction commits.
    statement.text = "COMMIT";
  } else {
    // The server skips everything up to the next Sync.
    const auto sync =
        std::ranges::find(pending_, Pending::Kind::kSync, &Pending::kind);
    skip_to_sync_ = sync == pending_.end();
    pending_.erase(pending_.begin(), sync);
  }
  if (statement.text.empty()) {
    events_.emplace_back(ConnectionFailed{error});
  } else {
    events_.emplace_back(std::move(statement));
  }
}

void PostgresSession::ServerReady(char transaction) {
  transaction_ = transaction;
  ready_ = true;
  if (pending_.empty()) return;  // The end of the login.
  const Pending::Kind kind = pending_.front().kind;
  if (kind != Pending::Kind::kSimple && kind != Pending::Kind::kSync &&
      kind != Pending::Kind::kFunction) {
    return FallBack("the server was ready before it had answered");
  }
  pending_.pop_front();
}

void PostgresSession::ServerCopyIn() {
  copying_in_ = true;
  // A Sync that was sent with the COPY is ignored by the server; the client
  // sends another one after the data.
  while (pending_.size() > 1 && pending_[1].kind == Pending::Kind::kSync) {
    pending_.erase(pending_.begin() + 1);
  }
}

}  // namespace assay::wires
