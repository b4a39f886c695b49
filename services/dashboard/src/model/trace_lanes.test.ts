import { expect, test } from 'vitest';

import type { Lane } from './trace_span';
import {
  barsOf,
  firstAfter,
  lineOf,
  MOST_LINES,
  spanAt,
  stepAcross,
  stepAlong,
  traceLanes,
} from './trace_lanes';
import type { TraceRow } from './trace_tree';

const row = (id: string, lane: Lane, start: number, duration: number) =>
  ({ id, lane, start, duration }) as TraceRow;
const ids = (rows: readonly TraceRow[]) => rows.map(({ id }) => id).join('');

test('spans stand in the lane of who was at work, from who asks to who answers', () => {
  const lanes = traceLanes([
    row('d', 'database', 3, 1),
    row('s', 'service', 2, 3),
    row('r', 'runner', 0, 9),
  ]);
  expect(lanes.map(({ lane, spans }) => [lane, ids(spans)])).toEqual([
    ['runner', 'r'],
    ['service', 's'],
    ['reported', ''],
    ['database', 'd'],
  ]);
});

test('no span covers another, and what was called stands below who called', () => {
  const [runner] = traceLanes([
    row('c', 'runner', 0, 4),
    row('b', 'runner', 0, 9),
    row('d', 'runner', 4, 4),
    row('a', 'runner', 0, 10),
    row('e', 'runner', 10, 2),
  ]);
  expect(runner!.lines.map(ids)).toEqual(['ae', 'b', 'cd']);
});

test('time in which several were at work counts once', () => {
  const [, service] = traceLanes([
    row('a', 'service', 0, 4),
    row('b', 'service', 2, 4),
    row('c', 'service', 3, 1),
    row('d', 'service', 10, 1),
  ]);
  expect(service!.busy).toBe(7);
});

test('a crowd shares the last line, and each of it is found there', () => {
  const crowd = Array.from({ length: 50 }, (_, i) =>
    row(`${i}`, 'service', i / 100, 5),
  );
  const [, service] = traceLanes(crowd);
  expect(service!.lines).toHaveLength(MOST_LINES);
  expect(lineOf(service!, crowd[49]!)).toBe(MOST_LINES - 1);
  expect(service!.lines.flat()).toHaveLength(50);
  expect(service!.crowded).toBe(true);
  const [, fits] = traceLanes(crowd.slice(0, MOST_LINES));
  expect(fits!.lines).toHaveLength(MOST_LINES);
  expect(fits!.crowded).toBe(false);
});

test('a pointer finds the span under it, and a short one beside it', () => {
  const line = [row('a', 'runner', 0, 10), row('b', 'runner', 20, 0.001)];
  expect(spanAt(line, 5, 0)?.id).toBe('a');
  expect(spanAt(line, 15, 1)).toBeUndefined();
  expect(spanAt(line, 20.5, 1)?.id).toBe('b');
  expect(firstAfter(line, 0)).toBe(1);
});

test('keys lead along a lane and across to what was at work then', () => {
  const lanes = traceLanes([
    row('r', 'runner', 0, 100),
    row('s', 'service', 10, 5),
    row('t', 'service', 30, 5),
    row('d', 'database', 31, 1),
    row('e', 'database', 60, 1),
  ]);
  const [, service] = lanes;
  const [first, second] = service!.spans;
  expect(stepAlong(lanes, first!, 1)).toBe(second);
  expect(stepAlong(lanes, first!, -1)).toBe(first);
  expect(stepAlong(lanes, second!, 1)).toBe(second);
  // The service reported nothing: that lane is passed over.
  expect(stepAcross(lanes, first!, 1).id).toBe('d');
  expect(stepAcross(lanes, second!, -1).id).toBe('r');
  const database = lanes[3]!;
  expect(stepAcross(lanes, database.spans[1]!, -1)).toBe(second);
  expect(stepAcross(lanes, database.spans[1]!, 1).id).toBe('e');
});

test('as many bars are drawn as there are pixels, and none that is out of sight', () => {
  const line = Array.from({ length: 50_000 }, (_, i) =>
    row(`${i}`, 'database', i, 0.9),
  );
  const whole = [...barsOf(line, { start: 0, length: 50_000 }, 50)];
  expect(whole.length).toBeGreaterThanOrEqual(1000);
  expect(whole.length).toBeLessThanOrEqual(2100);
  const part = [...barsOf(line, { start: 20_000.95, length: 10 }, 0.01)];
  expect(part.map(({ id }) => Number(id))).toEqual(
    Array.from({ length: 10 }, (_, i) => 20_001 + i),
  );
  const within = [...barsOf(line, { start: 20_000.3, length: 0.1 }, 0.001)];
  expect(ids(within)).toBe('20000');
});
