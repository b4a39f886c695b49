import { durationText } from './format';
import type { TimeRange } from './trace_tree';

export interface Tick {
  // Of the width, from 0 to 1.
  at: number;
  text: string;
}

const MOST = 5;
// What would begin further to the right would be cut.
const FURTHEST = 0.92;

// What the width of bars stands for, in round steps: when it begins, as exactly
// as the steps are, and how much later the others are.
export function ticksOf({ start, length }: TimeRange): Tick[] {
  if (length <= 0) return [{ at: 0, text: momentText(start, 1) }];
  const step = roundStep(length / MOST);
  const ticks = [{ at: 0, text: momentText(start, step) }];
  for (let i = 1; (i * step) / length < FURTHEST; i++)
    ticks.push({ at: (i * step) / length, text: later(i * step) });
  return ticks;
}

// The next of 1, 2, 5, 10, 20, and so on.
function roundStep(least: number): number {
  const unit = 10 ** Math.floor(Math.log10(least));
  const enough = least * (1 - 1e-9); // but for how numbers are rounded
  const factor = [1, 2, 5, 10].find((each) => each * unit >= enough) ?? 10;
  return factor * unit;
}

// Milliseconds since the run began, so that steps of `step` can be told apart.
function momentText(time: number, step: number): string {
  if (time === 0) return '0 s';
  const decimals = (of: number) => Math.max(0, -Math.floor(Math.log10(of)));
  if (time < 1000) return `${time.toFixed(decimals(step))} ms`;
  if (step >= 1000) return durationText(time);
  return `${(time / 1000).toFixed(Math.max(2, decimals(step / 1000)))} s`;
}

function later(time: number): string {
  const text = durationText(time);
  return `+${text.includes('.') ? text.replace(/\.?0+ /, ' ') : text}`;
}
