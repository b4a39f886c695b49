#ifndef ASSAY_SERVICES_COORDINATOR_DOMAIN_SERVICES_H_
#define ASSAY_SERVICES_COORDINATOR_DOMAIN_SERVICES_H_

#include "services/assignments/assignment_service.h"
#include "services/assignments/suite_service.h"
#include "services/attempts/attempt_service.h"
#include "services/attempts/clock_service.h"
#include "services/attempts/decision_service.h"
#include "services/attempts/invitation_service.h"
#include "services/attempts/lost_link_service.h"
#include "services/attempts/question_service.h"
#include "services/attempts/records_service.h"
#include "services/attempts/reference_service.h"
#include "services/attempts/source_service.h"
#include "services/attempts/version_service.h"
#include "services/coordinator/core.h"
#include "services/identity/account_service.h"
#include "services/nodes/node_service.h"
#include "services/notify/notification_service.h"
#include "services/overview/overview_service.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_service.h"
#include "services/submissions/receipt_service.h"
#include "services/submissions/submission_service.h"
#include "services/system/system_service.h"
#include "services/traces/trace_service.h"
#include "services/workers/worker_service.h"

namespace assay::coordinator {

// What is asked for by RPC: each service of the API, over the core.
//
// Threads: confined to the core's strand. Ownership: borrows the core.
struct DomainServices {
  explicit DomainServices(Core& core);

  Core& core;

  assignments::AssignmentService assignment_service;
  assignments::SuiteService suite_service;
  attempts::InvitationService invitation_service;
  attempts::LostLinkService lost_link_service;
  attempts::AttemptService attempt_service;
  attempts::ClockService clock_service;
  attempts::VersionService version_service;
  attempts::ReferenceService reference_service;
  attempts::RecordsService records_service;
  attempts::SourceService source_service;
  attempts::QuestionService question_service;
  attempts::DecisionService decision_service;
  notify::NotificationService notification_service;
  submissions::ReceiptService receipt_service;
  submissions::SubmissionService submission_service;
  runs::RunService run_service;
  traces::TraceService trace_service;
  system::SystemService system_service;
  workers::WorkerService worker_service;
  nodes::NodeService node_service;
  overview::OverviewService overview_service;
  identity::AccountService account_service;
  rpc::MethodRegistry methods;
};

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_DOMAIN_SERVICES_H_
