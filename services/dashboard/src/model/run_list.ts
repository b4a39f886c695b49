// The newest runs, kept current by a stream of changed ones.

import type { Run } from '../gen/assay/v1/run_pb';
import { millis } from './format';

export type RunList = readonly Run[];

const MAX_SHOWN = 200;

export function mergeRuns(list: RunList, changed: readonly Run[]): RunList {
  const byName = new Map(list.map((run) => [run.name, run]));
  for (const run of changed) byName.set(run.name, run);
  return [...byName.values()].sort(newestFirst).slice(0, MAX_SHOWN);
}

function newestFirst(a: Run, b: Run): number {
  const later = (millis(b.queueTime) ?? 0) - (millis(a.queueTime) ?? 0);
  return later || (a.name < b.name ? 1 : -1);
}
