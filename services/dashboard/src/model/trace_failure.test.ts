import { expect, test } from 'vitest';

import { isFailure } from './trace_failure';
import type { TraceRow } from './trace_tree';

const row = (depth: number, failed: boolean) => ({ depth, failed }) as TraceRow;

test('a try of a check that passed in the end is no failure', () => {
  const rows = [
    row(0, false),
    row(1, false),
    row(2, false), // a check that passed
    row(3, false),
    row(4, true), // a try of its step
    row(4, false),
    row(2, true), // a check that failed
    row(3, true),
    row(4, true),
    row(1, true), // a phase that failed
  ];
  const failures = rows.map((_, at) => at).filter((at) => isFailure(rows, at));
  expect(failures).toEqual([6, 7, 8, 9]);
});
