// What two runs have in common, and what not.

import type { CheckResult } from '../gen/assay/v1/check_pb';
import type { Lane, TraceSpan } from './trace_span';
import { shapeOf, traceTree } from './trace_tree';

export interface ComparedCheck {
  id: string;
  title: string;
  here?: CheckResult;
  there?: CheckResult;
  // Same verdict and same points.
  same: boolean;
}

// In the order of this run; what only the other has comes last.
export function compareChecks(
  here: ReadonlyMap<string, CheckResult>,
  there: ReadonlyMap<string, CheckResult>,
): ComparedCheck[] {
  const ids = new Set([...here.keys(), ...there.keys()]);
  return [...ids].map((id) => {
    const [a, b] = [here.get(id), there.get(id)];
    return {
      id,
      title: (a ?? b)!.title,
      here: a,
      there: b,
      same: a?.verdict === b?.verdict && a?.earned === b?.earned,
    };
  });
}

export interface Work {
  name: string;
  lane: Lane;
  here: { count: number; total: number };
  there: { count: number; total: number };
}

// Requests and statements by what they are, without their values, those first
// whose time differs most.
export function compareWork(
  here: Iterable<TraceSpan>,
  there: Iterable<TraceSpan>,
): Work[] {
  const found = new Map<string, Work>();
  for (const [side, spans] of [
    ['here', here],
    ['there', there],
  ] as const) {
    for (const row of traceTree(spans).rows) {
      if (row.lane === 'runner') continue;
      const name = row.lane === 'database' ? shapeOf(row.name) : row.name;
      const key = `${row.lane} ${name}`;
      const work = found.get(key) ?? {
        name,
        lane: row.lane,
        here: { count: 0, total: 0 },
        there: { count: 0, total: 0 },
      };
      found.set(key, work);
      work[side].count++;
      work[side].total += row.duration;
    }
  }
  const difference = ({ here, there }: Work) =>
    Math.abs(here.total - there.total);
  return [...found.values()].sort((a, b) => difference(b) - difference(a));
}
