// Spans by who was at work: a lane each for the runner, the service and the
// database, all on the clock of the trace.

import type { Lane } from './trace_span';
import type { TimeRange, TraceRow, TraceTree } from './trace_tree';

export interface TraceLane {
  lane: Lane;
  // By their start.
  spans: readonly TraceRow[];
  // The same spans on lines, on which none covers another. Where more than
  // `MOST_LINES` were at work at once, it is crowded: the last line takes the
  // others.
  lines: readonly (readonly TraceRow[])[];
  crowded: boolean;
  // Milliseconds in which at least one was at work.
  busy: number;
}

// In this order from top to bottom: who asks stands above who answers.
export const LANES: readonly Lane[] = [
  'runner',
  'service',
  'reported',
  'database',
];

export const MOST_LINES = 16;

const known = new WeakMap<TraceTree, readonly TraceLane[]>();

// Laid out once for each tree, when somebody looks.
export function lanesOf(tree: TraceTree): readonly TraceLane[] {
  let lanes = known.get(tree);
  if (!lanes) known.set(tree, (lanes = traceLanes(tree.rows)));
  return lanes;
}

export function traceLanes(rows: readonly TraceRow[]): TraceLane[] {
  const spans: Record<Lane, TraceRow[]> = {
    runner: [],
    service: [],
    reported: [],
    database: [],
  };
  for (const row of rows) spans[row.lane].push(row);
  return LANES.map((lane) => laneWith(lane, spans[lane]));
}

function laneWith(lane: Lane, spans: TraceRow[]): TraceLane {
  // Of those that start together the longest comes first, so that what it
  // called stands below it.
  spans.sort((a, b) => a.start - b.start || b.duration - a.duration);
  const lines: TraceRow[][] = [];
  const ends: number[] = [];
  let busy = 0;
  let crowded = false;
  let last = -Infinity;
  for (const span of spans) {
    const end = span.start + span.duration;
    if (end > last) {
      busy += end - Math.max(last, span.start);
      last = end;
    }
    let line = ends.findIndex((each) => each <= span.start);
    if (line < 0) {
      crowded ||= ends.length === MOST_LINES;
      line = Math.min(ends.length, MOST_LINES - 1);
    }
    ends[line] = Math.max(end, ends[line] ?? -Infinity);
    (lines[line] ??= []).push(span);
  }
  return { lane, spans, lines, crowded, busy };
}

// The line that a span stands on; -1 where it stands on none.
export function lineOf(lane: TraceLane, span: TraceRow): number {
  return lane.lines.findIndex((line) => line.includes(span));
}

// The spans of each line that `are` so; the lines stay where they were.
export function linesOf(
  lane: TraceLane,
  are: (span: TraceRow) => boolean,
): TraceRow[][] {
  return lane.lines.map((line) => line.filter(are));
}

// Bars to draw of a line: `stride` is the time that a pixel stands for. Of many
// spans that fall into one pixel the first and the last are enough.
export function* barsOf(
  line: readonly TraceRow[],
  { start, length }: TimeRange,
  stride: number,
): Generator<TraceRow> {
  let at = Math.max(0, firstAfter(line, start) - LOOK_BACK);
  while (at < line.length) {
    const span = line[at]!;
    if (span.start > start + length) return;
    if (span.start + span.duration >= start) yield span;
    const pixel = Math.floor((span.start - start) / stride) + 1;
    const next = firstAfter(line, start + pixel * stride, at) - 1;
    at = Math.max(at + 1, next);
  }
}

// The span of a line that was at work at that time, or began or ended no more
// than `near` milliseconds from it.
export function spanAt(
  line: readonly TraceRow[],
  time: number,
  near: number,
): TraceRow | undefined {
  const after = firstAfter(line, time + near);
  // On the last line a long one may have begun before a short one.
  for (let i = after - 1; i >= Math.max(0, after - LOOK_BACK); i--) {
    const span = line[i]!;
    if (span.start + span.duration >= time - near) return span;
  }
  return undefined;
}

const LOOK_BACK = 64;

// Where the first span stands that begins after that time.
export function firstAfter(
  spans: readonly TraceRow[],
  time: number,
  from = 0,
): number {
  // Mostly it is near: the steps double until it has been passed.
  let step = 1;
  while (from + step < spans.length && spans[from + step]!.start <= time) {
    from += step;
    step *= 2;
  }
  let to = Math.min(spans.length, from + step);
  while (from < to) {
    const middle = (from + to) >> 1;
    if (spans[middle]!.start <= time) from = middle + 1;
    else to = middle;
  }
  return from;
}

// Where keys lead: along a lane to the span that starts next or before, and to
// the lane above or below at the same time.
export function stepAlong(
  lanes: readonly TraceLane[],
  from: TraceRow,
  by: number,
): TraceRow | undefined {
  const lane = lanes.find((each) => each.lane === from.lane);
  if (!lane) return undefined;
  const next = lane.spans[lane.spans.indexOf(from) + by];
  return next ?? from;
}

export function stepAcross(
  lanes: readonly TraceLane[],
  from: TraceRow,
  by: 1 | -1,
): TraceRow {
  let at = lanes.findIndex((each) => each.lane === from.lane) + by;
  while (lanes[at]?.spans.length === 0) at += by;
  const spans = lanes[at]?.spans;
  if (!spans) return from;
  return spans[Math.max(0, firstAfter(spans, from.start) - 1)] ?? from;
}
