#ifndef ASSAY_SERVICES_DISPATCH_WORKER_LINK_H_
#define ASSAY_SERVICES_DISPATCH_WORKER_LINK_H_

#include "assay/runner/v1/lease_service.pb.h"
#include "proto/base/error.h"

namespace assay::dispatch {

// What the dispatcher can do to one attached worker.
//
// Threads: called on the coordinator's strand only.
class WorkerLink {
 public:
  virtual ~WorkerLink() = default;
  // Queues `response`. Never blocks: a worker that leaves too much unread is
  // closed, and its leases run out as if it had died.
  virtual void Send(runner::v1::AttachResponse response) = 0;
  // Ends the stream with `error`; nothing is sent afterwards.
  virtual void Close(Error error) = 0;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_WORKER_LINK_H_
