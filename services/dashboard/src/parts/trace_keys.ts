import type { KeyboardEvent } from 'react';

import { isFailure } from '../model/trace_failure';
import { lanesOf, stepAcross, stepAlong } from '../model/trace_lanes';
import { moved, type TimeRange, type TraceRow } from '../model/trace_tree';
import type { Trace } from './use_trace';

// The shortest time that fills the width, in milliseconds.
const CLOSEST = 0.001;
// How far a key moves in time, as a share of what is shown.
const STEP = 0.25;

interface Options {
  trace: Trace;
  shown: TimeRange;
  // Null is the whole run's.
  setRange: (range: TimeRange | null) => void;
  // Chooses a span and brings it into sight.
  choose: (id: string) => void;
  onLayout: () => void;
}

type Actions = Record<string, (() => void) | undefined>;

// What a key does in a trace, as the line above it says.
export function onTraceKey(event: KeyboardEvent, options: Options) {
  const { trace, shown, setRange } = options;
  const { tree, layout } = trace;
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  const move = (by: number) =>
    shown.length < tree.length &&
    setRange(moved(shown, by * STEP * shown.length, tree.length));
  const actions: Actions = {
    ...(layout === 'tree' ? treeKeys(options) : laneKeys(options)),
    '+': () => zoom(options, 0.5),
    '-': () => zoom(options, 2),
    '0': () => setRange(null),
    f: () => nextFailure(options),
    l: options.onLayout,
    ...(event.shiftKey && {
      ArrowLeft: () => move(-1),
      ArrowRight: () => move(1),
    }),
  };
  const action = actions[event.key];
  if (!action) return;
  action();
  event.preventDefault();
}

function treeKeys({ trace, choose }: Options): Actions {
  const { rows, chosen } = trace;
  const index = rows.findIndex((row) => row.id === chosen);
  const go = (to: number) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, to))];
    if (next) choose(next.id);
  };
  return {
    ArrowDown: () => go(index + 1),
    ArrowUp: () => go(index - 1),
    Home: () => go(0),
    End: () => go(rows.length - 1),
    ArrowRight: () => trace.toggle(chosen, false),
    ArrowLeft: () => rows[index]?.below && trace.toggle(chosen, true),
  };
}

function laneKeys({ trace, shown, setRange, choose }: Options): Actions {
  const { tree, at } = trace;
  const lanes = lanesOf(tree);
  const from = tree.rows[at];
  const go = (next?: TraceRow) => {
    if (!next) return;
    choose(next.id);
    // It is led to where it can be seen.
    const out =
      next.start > shown.start + shown.length ||
      next.start + next.duration < shown.start;
    if (out) {
      const start = next.start - shown.start - STEP * shown.length;
      setRange(moved(shown, start, tree.length));
    }
  };
  const first = lanes.find(({ spans }) => spans.length > 0)?.spans[0];
  const own = lanes.find(({ lane }) => lane === from?.lane)?.spans;
  const or = (step: (span: TraceRow) => TraceRow | undefined) => () =>
    go(from ? step(from) : first);
  return {
    ArrowRight: or((span) => stepAlong(lanes, span, 1)),
    ArrowLeft: or((span) => stepAlong(lanes, span, -1)),
    ArrowDown: or((span) => stepAcross(lanes, span, 1)),
    ArrowUp: or((span) => stepAcross(lanes, span, -1)),
    Home: or(() => own?.[0]),
    End: or(() => own?.at(-1)),
  };
}

function nextFailure({ trace, choose }: Options) {
  const { rows, chosen } = trace;
  const index = rows.findIndex((row) => row.id === chosen);
  const is = (at: number) => isFailure(rows, at);
  const next =
    rows.find((_, i) => i > index && is(i)) ?? rows.find((_, i) => is(i));
  if (next) choose(next.id);
}

function zoom({ trace, shown, setRange }: Options, by: number) {
  const { tree, at } = trace;
  const length = Math.max(CLOSEST, shown.length * by);
  if (length >= tree.length) return setRange(null);
  const selected = tree.rows[at];
  const middle = selected
    ? selected.start + selected.duration / 2
    : shown.start + shown.length / 2;
  setRange(moved({ start: 0, length }, middle - length / 2, tree.length));
}
