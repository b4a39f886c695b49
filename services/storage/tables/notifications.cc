#include "services/storage/tables/notifications.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

constexpr char kSelect[] =
    "SELECT id, topic, channel, state, recipient, subject, body, attempt, "
    "create_time, send_time, tries, next_try_time, problem "
    "FROM notifications ";

NotificationRecord Read(const sql::Row& row) {
  NotificationRecord record;
  record.id = NotificationId(row.Text(0));
  record.topic = row.Text(1);
  record.channel = static_cast<v1::Notification::Channel>(row.Int(2));
  record.state = static_cast<v1::Notification::State>(row.Int(3));
  record.recipient = row.Text(4);
  record.subject = row.Text(5);
  record.body = row.Text(6);
  record.attempt = AttemptId(row.Text(7));
  record.create_time = row.Time(8);
  record.send_time = row.MaybeTime(9);
  record.tries = static_cast<std::int32_t>(row.Int(10));
  record.next_try_time = row.Time(11);
  record.problem = row.Text(12);
  return record;
}

}  // namespace

Status NotificationTable::Create(const NotificationRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO notifications (id, topic, channel, state, recipient, "
      "subject, body, attempt, create_time, send_time, tries, next_try_time, "
      "problem) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
      "$13)",
      {record.id.str(), record.topic, sql::Number(record.channel),
       sql::Number(record.state), record.recipient, record.subject, record.body,
       record.attempt.str(), sql::Time(record.create_time),
       sql::Time(record.send_time), sql::Number(record.tries),
       sql::Time(record.next_try_time), record.problem}));
  return {};
}

Expected<NotificationRecord> NotificationTable::Get(const NotificationId& id) {
  static const std::string kGet = std::string(kSelect) + "WHERE id = $1";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kGet, {id.str()}));
  if (found.rows.empty()) return NotFound("there is no notification ", id);
  return Read(found.rows.front());
}

Expected<PageOf<NotificationRecord>> NotificationTable::List(const Page& page) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE (create_time < $1 OR (create_time = $1 AND id < $2)) "
      "ORDER BY create_time DESC, id DESC LIMIT $3";
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          kList, {after.time, after.id, sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<NotificationRecord>(
      found, page, Read, [](const NotificationRecord& record) {
        return sql::Cursor{ToMicros(record.create_time), record.id.str()};
      });
}

Expected<std::vector<NotificationRecord>> NotificationTable::ListDue(
    Clock::TimePoint now, std::int32_t limit) {
  static const std::string kDue =
      std::string(kSelect) +
      "WHERE state = 1 AND next_try_time <= $1 ORDER BY next_try_time LIMIT $2";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kDue, {sql::Time(now), sql::Number(limit)}));
  std::vector<NotificationRecord> due;
  for (const sql::Row& row : found.rows) due.push_back(Read(row));
  return due;
}

Status NotificationTable::Update(const NotificationRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE notifications SET channel = $2, state = $3, recipient = $4, "
      "body = $5, send_time = $6, tries = $7, next_try_time = $8, "
      "problem = $9 WHERE id = $1",
      {record.id.str(), sql::Number(record.channel), sql::Number(record.state),
       record.recipient, record.body, sql::Time(record.send_time),
       sql::Number(record.tries), sql::Time(record.next_try_time),
       record.problem}));
  return {};
}

Status NotificationTable::Erase(const AttemptId& attempt) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM notifications WHERE attempt = $1", {attempt.str()}));
  return {};
}

Expected<bool> NotificationTable::NoteReminder(
    const AttemptId& attempt, Clock::TimePoint deadline,
    std::chrono::microseconds before) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result noted,
      connection_.Execute(
          "INSERT INTO reminders (attempt, deadline, before) "
          "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
          {attempt.str(), sql::Time(deadline), before.count()}));
  return noted.affected > 0;
}

}  // namespace assay::storage
