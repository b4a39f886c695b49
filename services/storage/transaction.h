#ifndef ASSAY_SERVICES_STORAGE_TRANSACTION_H_
#define ASSAY_SERVICES_STORAGE_TRANSACTION_H_

#include "services/storage/sql/connection.h"
#include "services/storage/tables/accounts.h"
#include "services/storage/tables/assignments.h"
#include "services/storage/tables/attempts.h"
#include "services/storage/tables/audit_log.h"
#include "services/storage/tables/decisions.h"
#include "services/storage/tables/enrolments.h"
#include "services/storage/tables/gauges.h"
#include "services/storage/tables/invitations.h"
#include "services/storage/tables/nodes.h"
#include "services/storage/tables/notifications.h"
#include "services/storage/tables/overview.h"
#include "services/storage/tables/pushes.h"
#include "services/storage/tables/questions.h"
#include "services/storage/tables/queue.h"
#include "services/storage/tables/repositories.h"
#include "services/storage/tables/requests.h"
#include "services/storage/tables/run_events.h"
#include "services/storage/tables/runs.h"
#include "services/storage/tables/submissions.h"
#include "services/storage/tables/template_offers.h"
#include "services/storage/tables/tokens.h"
#include "services/storage/tables/workers.h"

namespace assay::storage {

// One transaction: a table for each noun. All of it happens, or nothing.
//
// Ownership: borrows `connection`. Threads: lives on a storage thread, inside
// the closure that it was handed to; never keep a reference to it.
class Transaction {
 public:
  explicit Transaction(sql::Connection& connection)
      : assignments(connection),
        invitations(connection),
        attempts(connection),
        repositories(connection),
        pushes(connection),
        submissions(connection),
        questions(connection),
        decisions(connection),
        runs(connection),
        queue(connection),
        run_events(connection),
        tokens(connection),
        requests(connection),
        template_offers(connection),
        notifications(connection),
        accounts(connection),
        workers(connection),
        nodes(connection),
        enrolments(connection),
        overview(connection),
        gauges(connection),
        audit(connection) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  AssignmentTable assignments;
  InvitationTable invitations;
  AttemptTable attempts;
  RepositoryTable repositories;
  PushTable pushes;
  SubmissionTable submissions;
  QuestionTable questions;
  DecisionTable decisions;
  RunTable runs;
  QueueTable queue;
  RunEventTable run_events;
  TokenTable tokens;
  RequestTable requests;
  TemplateOfferTable template_offers;
  NotificationTable notifications;
  AccountTable accounts;
  WorkerTable workers;
  NodeTable nodes;
  EnrolmentTable enrolments;
  Overview overview;
  Gauges gauges;
  AuditLog audit;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TRANSACTION_H_
