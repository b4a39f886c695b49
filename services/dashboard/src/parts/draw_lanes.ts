import { barsOf, linesOf, type TraceLane } from '../model/trace_lanes';
import type { TimeRange, TraceRow } from '../model/trace_tree';

// The lines of a lane, drawn over those of the layers before.
export interface Layer {
  lines: readonly (readonly TraceRow[])[];
  // The name of a colour of styles/base.css.
  color: string;
  // 0 to 1.
  strength: number;
  // On so many lines, those that are wide enough say what they are.
  namedLines: number;
}

// Names fit into bars that are wider, and are seen in those that are higher.
const NAMED_WIDTH = 40;
const NAMED_HEIGHT = 12;

// What stands behind a name, so that it can be read.
const WASH = 0.45;

// A canvas, ready to be drawn upon as wide as the page shows it, by the pixels
// that the screen has. Null where nothing is to be seen.
export function preparedCanvas(canvas: HTMLCanvasElement, height: number) {
  const width = canvas.clientWidth;
  const context = canvas.getContext('2d');
  if (!context || width === 0) return null;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(canvas);
  return {
    context,
    width,
    color: (name: string) => style.getPropertyValue(name),
    font: style.font,
  };
}

type Prepared = NonNullable<ReturnType<typeof preparedCanvas>>;

// Lines of `height` pixels each below `top`; bars leave `gap` of them free.
export function drawLayer(
  { context, width, color, font }: Prepared,
  layer: Layer,
  range: TimeRange,
  place: { top: number; height: number; gap: number },
) {
  const scale = width / Math.max(range.length, 1e-6);
  const bar = place.height - place.gap;
  const fill = color(layer.color);
  const ink = color('--ink');
  context.font = font;
  context.textBaseline = 'middle';
  layer.lines.forEach((line, i) => {
    const y = place.top + i * place.height;
    for (const row of barsOf(line, range, 1 / scale)) {
      const left = Math.max(-1, (row.start - range.start) * scale);
      const end = (row.start + row.duration - range.start) * scale;
      const right = Math.min(width + 1, Math.max(left + 1, end));
      const wide = right - left > NAMED_WIDTH && bar >= NAMED_HEIGHT;
      const named = i < layer.namedLines && wide;
      context.globalAlpha = layer.strength * (named ? WASH : 1);
      context.fillStyle = fill;
      // Neighbours stay apart as long as there is room.
      const apart = right - left > 4 ? 1 : 0;
      context.fillRect(left, y, right - left - apart, Math.max(1, bar));
      if (!named) continue;
      context.globalAlpha = layer.strength;
      context.fillStyle = ink;
      const from = Math.max(0, left) + 5;
      const text = fitting(context, row.name, right - from - 5);
      context.fillText(text, from, y + bar / 2 + 0.5);
    }
  });
  context.globalAlpha = 1;
}

// As much of a text as fits, by the width of its letters on average: to measure
// each of thousands would take too long.
function fitting(
  context: CanvasRenderingContext2D,
  text: string,
  width: number,
) {
  const letter = context.measureText('abcdefgh').width / 8;
  const most = Math.max(0, Math.floor(width / letter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

// What failed stands on top of what did not; what a filter does not mean stays
// in sight behind what it does.
export function layersOf(
  lane: TraceLane,
  matched: ReadonlySet<string> | null,
  named = false,
): Layer[] {
  const color = `--lane-${lane.lane}`;
  // Where bars cover each other, names would too.
  const readable = lane.lines.length - (lane.crowded ? 1 : 0);
  const namedLines = named ? readable : 0;
  const failed = (row: TraceRow) => row.failed;
  if (!matched) {
    const sound = linesOf(lane, (row) => !row.failed);
    return [
      { lines: sound, color, strength: 1, namedLines },
      { lines: linesOf(lane, failed), color: '--bad', strength: 1, namedLines },
    ];
  }
  const meant = (row: TraceRow) => matched.has(row.id);
  return [
    { lines: lane.lines, color, strength: 0.2, namedLines: 0 },
    {
      lines: linesOf(lane, (row) => !row.failed && meant(row)),
      color,
      strength: 1,
      namedLines,
    },
    {
      lines: linesOf(lane, (row) => row.failed && meant(row)),
      color: '--bad',
      strength: 1,
      namedLines,
    },
  ];
}
