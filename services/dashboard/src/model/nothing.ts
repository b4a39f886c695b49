import { type Run, Run_State } from '../gen/assay/v1/run_pb';
import { cleanText } from './clean_text';
import { countText } from './format';

// Why a run has nothing to show, as a sentence: it waits, it never began, or
// what ended it. Empty for one that runs, and where nobody said why.
export function whyNothing(run: Run | null): string {
  if (!run) return '';
  const reason = cleanText(run.outcomeReason).replace(/\.$/, '');
  switch (run.state) {
    case Run_State.QUEUED:
      return run.queuePosition > 0
        ? `It waits for a worker, behind ${countText(run.queuePosition, 'run')}.`
        : 'It waits for a worker, and is the next.';
    case Run_State.SUPERSEDED:
      return 'It never began: a newer push replaced it.';
    case Run_State.FINISHED:
      if (!run.startTime) return `It never began${reason && `: ${reason}`}.`;
      return reason && `What ended it: ${reason}.`;
    default:
      return '';
  }
}
