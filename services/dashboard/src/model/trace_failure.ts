import type { TraceRow } from './trace_tree';

// Of the run, its phases and their checks, these are the third.
const CHECK_DEPTH = 2;

// Whether a row failed, and no check that passed got over it: of what is tried
// until it is so, all but the last time fail.
export function isFailure(rows: readonly TraceRow[], at: number): boolean {
  if (!rows[at]?.failed) return false;
  for (let i = at; (rows[i]?.depth ?? 0) >= CHECK_DEPTH; i--)
    if (rows[i]?.depth === CHECK_DEPTH) return rows[i]!.failed;
  return true;
}
