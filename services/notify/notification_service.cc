#include "services/notify/notification_service.h"

#include <utility>

#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::notify {
namespace {

using storage::NotificationRecord;
using storage::Transaction;

v1::Notification ToProto(const NotificationRecord& record) {
  v1::Notification proto;
  proto.set_name(rpc::FormatName("notifications", record.id));
  proto.set_topic(record.topic);
  proto.set_channel(record.channel);
  proto.set_state(record.state);
  proto.set_recipient(record.recipient);
  proto.set_subject(record.subject);
  proto.set_body(record.body);
  proto.set_attempt(rpc::FormatName("attempts", record.attempt));
  *proto.mutable_create_time() = rpc::ToProto(record.create_time);
  if (record.send_time)
    *proto.mutable_send_time() = rpc::ToProto(*record.send_time);
  proto.set_tries(record.tries);
  proto.set_problem(record.problem);
  return proto;
}

Expected<NotificationRecord> RetryIn(Transaction& tx, const NotificationId& id,
                                     Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(NotificationRecord record, tx.notifications.Get(id));
  if (record.state == v1::Notification::STATE_SENT)
    return FailedPrecondition("notification ", id, " was sent already");
  if (record.topic == "invitation" &&
      record.state == v1::Notification::STATE_FAILED)
    return FailedPrecondition(
        "the link's secret is gone; make a new one with "
        "`assay invitation resend`");
  // What was kept for want of a way may have one by now.
  if (record.channel == v1::Notification::CHANNEL_KEPT)
    record.channel = v1::Notification::CHANNEL_UNSPECIFIED;
  record.state = v1::Notification::STATE_WAITING;
  record.tries = 0;
  record.next_try_time = now;
  ASSAY_RETURN_IF_ERROR(tx.notifications.Update(record));
  return record;
}

}  // namespace

NotificationService::NotificationService(storage::Store& store,
                                         const Clock& clock,
                                         std::function<void()> on_retry)
    : store_(store), clock_(clock), on_retry_(std::move(on_retry)) {}

void NotificationService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.NotificationService/";
  rpc::Register(registry, service + "ListNotifications", this,
                &NotificationService::List);
  rpc::Register(registry, service + "RetryNotification", this,
                &NotificationService::Retry);
}

rpc::Async<v1::ListNotificationsResponse> NotificationService::List(
    rpc::CallContext context, v1::ListNotificationsRequest request) {
  using Response = v1::ListNotificationsResponse;
  const storage::Page page{request.page_size(), request.page_token()};
  co_return co_await store_.Read([page](Transaction& tx) -> Expected<Response> {
    ASSAY_ASSIGN_OR_RETURN(const auto records, tx.notifications.List(page));
    Response response;
    for (const NotificationRecord& record : records.items)
      *response.add_notifications() = ToProto(record);
    response.set_next_page_token(records.next_token);
    return response;
  });
}

rpc::Async<v1::RetryNotificationResponse> NotificationService::Retry(
    rpc::CallContext context, v1::RetryNotificationRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const NotificationId id,
      rpc::ParseName<NotificationId>("notifications", request.name()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const NotificationRecord record,
      co_await store_.Write([id, now = clock_.Now()](Transaction& tx) {
        return RetryIn(tx, id, now);
      }));
  on_retry_();
  v1::RetryNotificationResponse response;
  *response.mutable_notification() = ToProto(record);
  co_return response;
}

}  // namespace assay::notify
