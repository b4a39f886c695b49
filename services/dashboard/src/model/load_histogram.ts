// The latencies of a load, as the runner sums them up on the load's span, and
// the slowest of its requests.

import type { TraceRow } from './trace_tree';

export interface LoadBar {
  // Milliseconds.
  lower: number;
  upper: number;
  count: number;
}

export interface Load {
  bars: LoadBar[];
  most: number;
  // "p50" and so on, as the runner wrote them.
  figures: [name: string, text: string][];
  // The slowest requests, which have spans of their own.
  exemplars: TraceRow[];
}

const FIGURES = ['p50', 'p90', 'p99', 'p999', 'max', 'errors', 'achieved'];

// Of the span at `at`; null where it is no load's.
export function loadOf(rows: readonly TraceRow[], at: number): Load | null {
  const row = rows[at];
  if (!row) return null;
  const bars = parseBars(row.attribute('assay.load.histogram_us'));
  if (bars.length === 0) return null;
  const exemplars = rows
    .slice(at + 1, at + 1 + row.below)
    .filter((one) => one.attribute('assay.load.request') !== '');
  const figures = FIGURES.map((name): [string, string] => [
    name,
    row.attribute(`assay.load.${name}`),
  ]).filter(([, text]) => text !== '');
  const most = Math.max(...bars.map((bar) => bar.count));
  return { bars, most, figures, exemplars };
}

// "1023:40 1279:3". Four bars of a power of two: where one begins follows from
// where it ends. A text that is none of ours has no bars.
export function parseBars(text: string): LoadBar[] {
  const bars: LoadBar[] = [];
  for (const part of text.split(' ')) {
    const found = /^(\d{1,12}):(\d{1,12})$/.exec(part);
    if (!found) return [];
    const end = Number(found[1]) + 1;
    const width = end <= 128 ? 32 : 2 ** (Math.ceil(Math.log2(end)) - 1) / 4;
    bars.push({
      lower: (end - width) / 1000,
      upper: end / 1000,
      count: Number(found[2]),
    });
  }
  return bars;
}

// Where a latency stands among bars of equal width, 0 to 1.
export function placeOf(bars: readonly LoadBar[], latency: number): number {
  const at = bars.findIndex((bar) => latency <= bar.upper);
  if (at < 0) return 1;
  const { lower, upper } = bars[at]!;
  const part = Math.min(1, Math.max(0, (latency - lower) / (upper - lower)));
  return (at + part) / bars.length;
}
