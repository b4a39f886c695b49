// Everything that happened in an attempt, newest first.

import type { Timestamp } from '@bufbuild/protobuf/wkt';

import type { Attempt, Push } from '../gen/assay/v1/attempt_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import type { Submission } from '../gen/assay/v1/submission_pb';
import { millis } from './format';

export type Happening = { time?: Timestamp } & (
  | { kind: 'start' }
  | { kind: 'push'; push: Push }
  // The last submission is the one that counts.
  | { kind: 'submission'; submission: Submission; counts: boolean }
  | { kind: 'run'; run: Run }
);

export interface AttemptHistory {
  attempt?: Attempt;
  pushes: readonly Push[];
  runs: readonly Run[];
  // Oldest first.
  submissions: readonly Submission[];
}

export function timeline(history: AttemptHistory): Happening[] {
  const { attempt, pushes, runs, submissions } = history;
  const all: Happening[] = [];
  if (attempt?.clock?.startTime) {
    all.push({ kind: 'start', time: attempt.clock.startTime });
  }
  for (const push of pushes) {
    all.push({ kind: 'push', time: push.receiveTime, push });
  }
  for (const submission of submissions) {
    const counts = submission === submissions.at(-1);
    all.push({
      kind: 'submission',
      time: submission.submitTime,
      submission,
      counts,
    });
  }
  for (const run of runs) all.push({ kind: 'run', time: run.queueTime, run });
  // What happened in the same moment keeps its order: a push, then its run.
  all.sort((a, b) => (millis(a.time) ?? 0) - (millis(b.time) ?? 0));
  return all.reverse();
}
