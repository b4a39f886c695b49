import { type PointerEvent, useEffect, useRef, useState } from 'react';

import { durationText } from '../model/format';
import type { TimeRange, TraceRow, TraceTree } from '../model/trace_tree';

const HEIGHT = 48;
// A shorter drag is a click, which chooses nothing.
const MIN_DRAG = 4;
const TICKS = 5;

interface Props {
  tree: TraceTree;
  range: TimeRange;
  onRange: (range: TimeRange | null) => void;
}

// The whole trace in a strip, with the part that is shown below it. A drag over
// the strip chooses another part; keys do so in the tree.
export function TraceMap({ tree, range, onRange }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const redraw = () => draw(element, tree);
    // Draws at once, too: what is observed is told of at first.
    const size = new ResizeObserver(redraw);
    size.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', redraw);
    return () => {
      size.disconnect();
      dark.removeEventListener('change', redraw);
    };
  }, [tree]);

  const at = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(box.width, Math.max(0, event.clientX - box.left));
  };
  const onDown = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag([at(event), at(event)]);
  };
  const onUp = (event: PointerEvent) => {
    if (!drag) return;
    setDrag(null);
    const { width } = event.currentTarget.getBoundingClientRect();
    const [from, to] = [Math.min(...drag), Math.max(...drag)];
    if (to - from < MIN_DRAG) return;
    const scale = tree.length / width;
    onRange({ start: from * scale, length: (to - from) * scale });
  };
  const share = (part: number) =>
    `${(100 * part) / Math.max(tree.length, 1e-6)}%`;
  const whole = range.length >= tree.length;
  return (
    <div
      className="trace-map"
      onPointerDown={onDown}
      onPointerMove={(event) => drag && setDrag([drag[0], at(event)])}
      onPointerUp={onUp}
      onDoubleClick={() => onRange(null)}
      title="Drag to choose a part of the run; double-click for all of it"
    >
      <canvas ref={canvas} height={HEIGHT} aria-hidden="true" />
      {!whole && (
        <>
          <div
            className="map-shade"
            style={{ left: 0, width: share(range.start) }}
          />
          <div
            className="map-shade"
            style={{ left: share(range.start + range.length), right: 0 }}
          />
        </>
      )}
      {drag && (
        <div
          className="map-drag"
          style={{
            left: Math.min(...drag),
            width: Math.abs(drag[1] - drag[0]),
          }}
        />
      )}
    </div>
  );
}

// One line of pixels or more for each depth; what failed stays on top.
function draw(canvas: HTMLCanvasElement, tree: TraceTree) {
  const width = canvas.clientWidth;
  const context = canvas.getContext('2d');
  if (!context || !width) return;
  canvas.width = width;
  const style = getComputedStyle(canvas);
  const color = (name: string) => style.getPropertyValue(name);
  const colors = {
    runner: color('--lane-runner'),
    service: color('--lane-service'),
    database: color('--lane-database'),
    reported: color('--lane-reported'),
  };
  const bad = color('--bad');
  let deepest = 1;
  for (const row of tree.rows) deepest = Math.max(deepest, row.depth + 1);
  const thickness = Math.max(1, HEIGHT / Math.min(deepest, HEIGHT));
  const scale = width / Math.max(tree.length, 1e-6);
  const topOf = (row: TraceRow) =>
    Math.min(row.depth * thickness, HEIGHT - thickness);
  const bar = (row: TraceRow) =>
    context.fillRect(
      row.start * scale,
      topOf(row),
      Math.max(1, row.duration * scale),
      Math.max(1, thickness - 1),
    );
  // Up to where each line is drawn: of the many spans that fall into one pixel
  // the first one is enough.
  const drawn = new Map<number, number>();
  for (const row of tree.rows) {
    const end = Math.max(row.start + row.duration, row.start + 1 / scale);
    const top = topOf(row);
    const before = drawn.get(top) ?? -Infinity;
    if (Math.floor(end * scale) <= before) continue;
    drawn.set(top, Math.floor(end * scale));
    context.fillStyle = colors[row.lane];
    bar(row);
  }
  context.fillStyle = bad;
  for (const row of tree.rows) if (row.failed) bar(row);
}

// What the width of the bars stands for: where it begins, and from there on.
export function TraceRuler({ range }: { range: TimeRange }) {
  const ticks = Array.from({ length: TICKS }, (_, i) => i / TICKS);
  return (
    <div className="trace-ruler" aria-hidden="true">
      <span />
      <span className="number">took</span>
      <span className="number">own</span>
      <div className="ruler-track">
        {ticks.map((tick) => (
          <span key={tick} style={{ left: `${100 * tick}%` }}>
            {tick === 0
              ? durationText(range.start)
              : `+${durationText(tick * range.length)}`}
          </span>
        ))}
      </div>
    </div>
  );
}
