import { type PointerEvent, useEffect, useRef, useState } from 'react';

import { ticksOf } from '../model/ruler';
import { lanesOf } from '../model/trace_lanes';
import type { TimeRange, TraceTree } from '../model/trace_tree';
import { drawLayer, layersOf, preparedCanvas } from './draw_lanes';
import { whenItLooksOtherwise } from './looks';

// Of each lane, as styles/trace.css has it.
const LANE = 18;
// A shorter drag is a click, which chooses nothing.
const MIN_DRAG = 4;

interface Props {
  tree: TraceTree;
  range: TimeRange;
  onRange: (range: TimeRange | null) => void;
}

// The whole trace in a strip, one lane below the other, with the part that is
// shown below it. A drag over the strip chooses another part; keys do so in the
// trace itself.
export function TraceMap({ tree, range, onRange }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element)
      return whenItLooksOtherwise(element, () => draw(element, tree));
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
  const lanes = lanesShown(tree);
  return (
    <div className="trace-map">
      <div className="map-lanes" aria-hidden="true">
        {lanes.map(({ lane }) => (
          <span key={lane}>{lane}</span>
        ))}
      </div>
      <div
        className="map-track"
        onPointerDown={onDown}
        onPointerMove={(event) => drag && setDrag([drag[0], at(event)])}
        onPointerUp={onUp}
        onDoubleClick={() => onRange(null)}
        title="Drag to choose a part of the run; double-click for all of it"
      >
        <canvas
          ref={canvas}
          style={{ height: lanes.length * LANE }}
          aria-hidden="true"
        />
        {!whole && (
          <>
            <div
              className="map-shade before"
              style={{ width: share(range.start) }}
            />
            <div
              className="map-shade after"
              style={{ left: share(range.start + range.length) }}
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
    </div>
  );
}

// Of lanes in which nobody was at work there is nothing to be seen.
function lanesShown(tree: TraceTree) {
  return lanesOf(tree).filter(({ spans }) => spans.length > 0);
}

function draw(canvas: HTMLCanvasElement, tree: TraceTree) {
  const lanes = lanesShown(tree);
  const prepared = preparedCanvas(canvas, lanes.length * LANE);
  if (!prepared) return;
  lanes.forEach((lane, i) => {
    const height = (LANE - 4) / lane.lines.length;
    const place = { top: i * LANE + 2, height, gap: height > 4 ? 1 : 0 };
    for (const layer of layersOf(lane, null))
      drawLayer(prepared, layer, { start: 0, length: tree.length }, place);
  });
}

// What the width of the bars stands for.
export function TraceTicks({ range }: { range: TimeRange }) {
  return (
    <div className="ruler-track">
      {ticksOf(range).map(({ at, text }) => (
        <span key={at} style={{ left: `${100 * at}%` }}>
          {text}
        </span>
      ))}
    </div>
  );
}
