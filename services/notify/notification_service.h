#ifndef ASSAY_SERVICES_NOTIFY_NOTIFICATION_SERVICE_H_
#define ASSAY_SERVICES_NOTIFY_NOTIFICATION_SERVICE_H_

#include <functional>

#include "assay/v1/notification_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::notify {

// assay.v1.NotificationService: shows the outbox.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class NotificationService {
 public:
  // `on_retry` wakes the notifier.
  NotificationService(storage::Store& store, const Clock& clock,
                      std::function<void()> on_retry);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::ListNotificationsResponse> List(
      rpc::CallContext context, v1::ListNotificationsRequest request);
  rpc::Async<v1::RetryNotificationResponse> Retry(
      rpc::CallContext context, v1::RetryNotificationRequest request);

  storage::Store& store_;
  const Clock& clock_;
  const std::function<void()> on_retry_;
};

}  // namespace assay::notify

#endif  // ASSAY_SERVICES_NOTIFY_NOTIFICATION_SERVICE_H_
