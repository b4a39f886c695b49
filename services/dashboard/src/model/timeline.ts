// Everything that happened in an attempt, newest first.

import type { Timestamp } from '@bufbuild/protobuf/wkt';

import {
  type Push,
  type TimelineEntry,
  TimelineEntry_Kind,
} from '../gen/assay/v1/attempt_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import type { Submission } from '../gen/assay/v1/submission_pb';
import { millis } from './format';

export type Happening = { time?: Timestamp } &
  // Accepted, started, paused, extended: what the server says of it.
  (
    | { kind: 'clock'; entry: TimelineEntry }
    | { kind: 'push'; push: Push }
    // The last submission is the one that counts.
    | { kind: 'submission'; submission: Submission; counts: boolean }
    | { kind: 'run'; run: Run }
  );

export interface AttemptHistory {
  // What the server tells; only the clock's part of it is used.
  entries: readonly TimelineEntry[];
  pushes: readonly Push[];
  runs: readonly Run[];
  // Oldest first.
  submissions: readonly Submission[];
}

export function timeline(history: AttemptHistory): Happening[] {
  const { entries, pushes, runs, submissions } = history;
  const all: Happening[] = [];
  for (const entry of entries) {
    if (entry.kind !== TimelineEntry_Kind.CLOCK) continue;
    all.push({ kind: 'clock', time: entry.time, entry });
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
