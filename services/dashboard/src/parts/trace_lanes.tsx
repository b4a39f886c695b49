import {
  type KeyboardEvent,
  memo,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
} from 'react';

import { durationText } from '../model/format';
import {
  lanesOf,
  lineOf,
  MOST_LINES,
  spanAt,
  type TraceLane,
} from '../model/trace_lanes';
import { moved, type TimeRange, type TraceRow } from '../model/trace_tree';
import { drawLayer, type Layer, layersOf, preparedCanvas } from './draw_lanes';
import { whenItLooksOtherwise } from './looks';
import { TraceTicks } from './trace_map';
import type { Trace } from './use_trace';

const LINE = 18;
// A pointer that moves less has clicked.
const MIN_DRAG = 4;
// Pixels beside a bar that still mean it: some bars are one pixel wide.
const NEAR = 3;

// Whose spans stand in a lane, for who reads its name for the first time.
const WHAT = {
  runner: ['phase, check or step', 'phases, checks and steps'],
  service: ['request', 'requests'],
  reported: ['span of its own', 'spans of its own'],
  database: ['statement', 'statements'],
} as const;

interface Props {
  trace: Trace;
  range: TimeRange;
  onRange: (range: TimeRange) => void;
  onKey: (event: KeyboardEvent) => void;
}

// One clock and a lane for each who was at work. Bars are drawn on canvases; the
// chosen one is an element over its bar, so that whoever does not see bars is
// told what it is.
export function TraceLanes({ trace, range, onRange, onKey }: Props) {
  const { tree, chosen, at, matched, critical } = trace;
  const lanes = lanesOf(tree);
  const selected = tree.rows[at];
  return (
    <>
      <div className="lane-ruler lane-grid" aria-hidden="true">
        <span />
        <TraceTicks range={range} />
      </div>
      <div
        className="trace lanes"
        role="listbox"
        aria-label="Spans in lanes"
        aria-activedescendant={selected && `span-${chosen}`}
        tabIndex={0}
        onKeyDown={onKey}
      >
        {lanes.map((lane) => (
          <Lane
            key={lane.lane}
            lane={lane}
            range={range}
            length={tree.length}
            faults={trace.faults}
            matched={matched}
            critical={critical}
            selected={selected?.lane === lane.lane ? selected : undefined}
            onRange={onRange}
            onChoose={trace.choose}
          />
        ))}
      </div>
    </>
  );
}

// What a lane has, in words.
export function laneText({ lane, spans, busy, crowded }: TraceLane): string {
  const [one, many] = WHAT[lane];
  if (spans.length === 0) return `no ${many}`;
  const count = `${spans.length} ${spans.length === 1 ? one : many}`;
  const most = crowded ? `, more than ${MOST_LINES} at once` : '';
  return `${count}, at work for ${durationText(busy)}${most}`;
}

interface LaneProps {
  lane: TraceLane;
  range: TimeRange;
  // Of the whole trace.
  length: number;
  faults: readonly TraceRow[];
  matched: ReadonlySet<string> | null;
  critical: ReadonlySet<string>;
  // The chosen span, if it is of this lane.
  selected?: TraceRow;
  onRange: (range: TimeRange) => void;
  onChoose: (id: string) => void;
}

const Lane = memo(function Lane(props: LaneProps) {
  const { lane, range, faults, matched, critical, selected } = props;
  const text = laneText(lane);
  // What decided how long it took stands out as what a filter means does.
  const meant = critical.size > 0 ? critical : matched;
  const layers = useMemo(() => layersOf(lane, meant, true), [lane, meant]);
  const line = selected ? lineOf(lane, selected) : -1;
  const share = (part: number) =>
    `${(100 * part) / Math.max(range.length, 1e-6)}%`;
  const place = ({ start, duration }: TraceRow) => ({
    left: share(start - range.start),
    width: share(duration),
  });
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    mark.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [selected, line]);
  return (
    <div
      role="group"
      aria-label={`${lane.lane}: ${text}`}
      className="lane-grid lane-row"
    >
      <div className="lane-name" aria-hidden="true">
        <span className={`lane ${lane.lane}`}>{lane.lane}</span>
        <span className="muted">{text}</span>
      </div>
      <Track
        lane={lane}
        layers={layers}
        range={range}
        length={props.length}
        onRange={props.onRange}
        onChoose={props.onChoose}
      >
        {faults.map((fault) => (
          <div
            key={fault.id}
            className="fault-band"
            style={place(fault)}
            aria-hidden="true"
          />
        ))}
        {selected && (
          <div
            ref={mark}
            role="option"
            id={`span-${selected.id}`}
            aria-selected="true"
            aria-setsize={lane.spans.length}
            aria-posinset={lane.spans.indexOf(selected) + 1}
            aria-label={spanText(selected)}
            className="lane-mark"
            style={{ ...place(selected), top: line * LINE }}
          />
        )}
      </Track>
    </div>
  );
});

function spanText(row: TraceRow): string {
  const parts = [
    row.name || 'no name',
    `starts after ${durationText(row.start)}`,
    `takes ${durationText(row.duration)}`,
  ];
  if (row.failed) parts.push('failed');
  return parts.join(', ');
}

interface TrackProps {
  lane: TraceLane;
  layers: readonly Layer[];
  range: TimeRange;
  length: number;
  onRange: (range: TimeRange) => void;
  onChoose: (id: string) => void;
  children: ReactNode;
}

// The bars. A click chooses one; a drag moves in time, where there is more of it.
function Track(props: TrackProps) {
  const { lane, layers, range, length, onRange, onChoose } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const down = useRef<{ x: number; range: TimeRange } | null>(null);
  const height = Math.max(1, lane.lines.length) * LINE;
  const redraw = useEffectEvent(() => {
    const prepared = canvas.current && preparedCanvas(canvas.current, height);
    if (!prepared) return;
    const place = { top: 2, height: LINE, gap: 3 };
    for (const layer of layers) drawLayer(prepared, layer, range, place);
  });
  useLayoutEffect(() => redraw(), [layers, range, height]);
  useEffect(() => whenItLooksOtherwise(canvas.current!, () => redraw()), []);

  const spanUnder = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const line = lane.lines[Math.floor((event.clientY - box.top) / LINE)];
    const stride = range.length / box.width;
    const time = range.start + (event.clientX - box.left) * stride;
    return line && (spanAt(line, time, 0) ?? spanAt(line, time, NEAR * stride));
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    down.current = { x: event.clientX, range };
  };
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!down.current) {
      const under = spanUnder(event);
      event.currentTarget.title = under ? spanText(under) : '';
      return;
    }
    const by = event.clientX - down.current.x;
    if (Math.abs(by) < MIN_DRAG || range.length >= length) return;
    const { width } = event.currentTarget.getBoundingClientRect();
    onRange(moved(down.current.range, (-by * range.length) / width, length));
  };
  const onUp = (event: PointerEvent) => {
    const began = down.current;
    down.current = null;
    if (!began || Math.abs(event.clientX - began.x) >= MIN_DRAG) return;
    const under = spanUnder(event);
    if (under) onChoose(under.id);
  };
  return (
    <div
      className="lane-track"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => (down.current = null)}
    >
      <canvas ref={canvas} style={{ height }} aria-hidden="true" />
      {props.children}
    </div>
  );
}
