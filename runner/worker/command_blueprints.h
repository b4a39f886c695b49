#ifndef ASSAY_RUNNER_WORKER_COMMAND_BLUEPRINTS_H_
#define ASSAY_RUNNER_WORKER_COMMAND_BLUEPRINTS_H_

#include "runner/worker/session_draft.h"

namespace assay::worker {

// Adds the cells of a plan's `command` and `mutants` steps to a draft that has
// its services (runner/run/blueprint_layout.h says what is inside).
//
// The author's files go into cells of their own, by archives that no other cell
// gets: nothing of the candidate's runs there, unless the author runs it. The
// candidate's own commands run in the work volume, or on a copy of it where
// they are graded, and see no file of the suite.
Status DraftCommands(const DraftInput& input, SessionDraft& draft);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_COMMAND_BLUEPRINTS_H_
