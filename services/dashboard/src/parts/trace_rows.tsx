import {
  type KeyboardEvent,
  memo,
  type Ref,
  useImperativeHandle,
  useMemo,
} from 'react';

import { cleanText } from '../model/clean_text';
import { durationText } from '../model/format';
import type { TimeRange, TraceRow } from '../model/trace_tree';
import type { Trace } from './use_trace';
import { useWindow, type Window } from './use_window';

// As styles/trace.css has it.
const ROW = 26;
const TWIST = 20;
// Pixels of a level, and how many levels are told apart.
const STEP = 16;
const DEEPEST = 20;

export type RowScroller = Pick<Window, 'scrollTo'>;

interface Props {
  trace: Trace;
  range: TimeRange;
  // Where the suite has the steps that failed, by their spans.
  pins: ReadonlyMap<string, string>;
  onKey: (event: KeyboardEvent) => void;
  ref: Ref<RowScroller>;
}

// The tree of spans beside their bars. Only rows in sight are drawn, and what
// scrolls draws nothing around them.
export function TraceRows(props: Props) {
  const { trace, range, ref } = props;
  const { rows, closed, matched, critical, chosen } = trace;
  const view = useWindow(rows.length, ROW);
  const { box, first, height, offset, scrollTo } = view;
  useImperativeHandle(ref, () => ({ scrollTo }));
  const isThere = useMemo(
    () => chosen !== '' && rows.some((row) => row.id === chosen),
    [rows, chosen],
  );
  return (
    <div
      className="trace"
      ref={box}
      role="treegrid"
      aria-label="Trace"
      aria-rowcount={rows.length}
      aria-activedescendant={isThere ? `span-${chosen}` : undefined}
      tabIndex={0}
      onKeyDown={props.onKey}
    >
      <div className="trace-rows" style={{ height }} role="presentation">
        {placesOf(view).map((index, place) => {
          const row = rows[index];
          if (!row) return null;
          return (
            <Row
              key={place}
              row={row}
              index={index}
              top={offset + (index - first) * ROW}
              range={range}
              closed={closed.has(row.id)}
              chosen={row.id === chosen}
              faded={matched !== null && !matched.has(row.id)}
              critical={critical.has(row.id)}
              faults={trace.faults}
              position={props.pins.get(row.id)}
              onChoose={trace.choose}
              onToggle={trace.toggle}
            />
          );
        })}
      </div>
    </div>
  );
}

// Which row each place draws; -1 for none. A row that comes into sight takes the
// elements of one that has gone: to make new ones costs most of a frame. So they do
// not stand in order; their indices say where they are, and there is the table.
function placesOf({ first, end, size }: Window): number[] {
  const places = Array.from({ length: size }, () => -1);
  for (let index = first; index < end; index++) places[index % size] = index;
  return places;
}

interface RowProps {
  row: TraceRow;
  index: number;
  // Where it is drawn: the same place as long as it is in sight, so that nothing
  // is to be done for it when others come and go.
  top: number;
  range: TimeRange;
  closed: boolean;
  chosen: boolean;
  faded: boolean;
  critical: boolean;
  faults: TraceRow[];
  // Where the suite says what failed here.
  position?: string;
  onChoose: (id: string) => void;
  onToggle: (id: string, close: boolean) => void;
}

// Scrolling draws those that came into sight, and no other anew.
const Row = memo(function Row(props: RowProps) {
  const { row, index, range, closed, chosen, faults } = props;
  const share = (part: number) =>
    `${(100 * part) / Math.max(range.length, 1e-6)}%`;
  const place = ({ start, duration }: TraceRow) => ({
    left: share(start - range.start),
    width: share(duration),
  });
  const toggle = () => props.onToggle(row.id, !closed);
  const indent =
    Math.min(row.depth, DEEPEST) * STEP + 4 + (row.below > 0 ? 0 : TWIST);
  const state = [
    row.failed && 'failed',
    props.faded && 'faded',
    props.critical && 'critical',
  ];
  return (
    <div
      role="row"
      id={`span-${row.id}`}
      aria-rowindex={index + 1}
      aria-level={row.depth + 1}
      aria-expanded={row.below ? !closed : undefined}
      aria-selected={chosen}
      className={`trace-row ${state.filter(Boolean).join(' ')}`}
      style={{ top: props.top }}
      onClick={() => props.onChoose(row.id)}
      onDoubleClick={toggle}
    >
      <div
        role="gridcell"
        className="trace-name"
        style={{ paddingLeft: indent }}
      >
        {row.below > 0 && (
          <button
            type="button"
            className="twist"
            tabIndex={-1}
            aria-hidden="true"
            onClick={toggle}
          >
            {closed ? '▸' : '▾'}
          </button>
        )}
        <span className="name-text" title={row.name}>
          {row.name}
        </span>
        {row.repeated > 0 && (
          <span className="tag warn">N+1: same statement × {row.repeated}</span>
        )}
        {row.lane === 'reported' && <span className="tag">reported</span>}
        {row.orphan && <span className="tag">its parent is missing</span>}
        {row.failed && (
          <span className="why-failed">
            {cleanText(row.span.status?.message ?? '')}
            {props.position && <span className="muted"> {props.position}</span>}
          </span>
        )}
      </div>
      <div role="gridcell" className="number trace-duration">
        {durationText(row.duration)}
      </div>
      <div role="gridcell" className="number trace-duration">
        {row.below > 0 && durationText(row.self)}
      </div>
      <div role="presentation" className="trace-track">
        {faults.map((fault) => (
          <div key={fault.id} className="fault-band" style={place(fault)} />
        ))}
        <div className={`bar ${row.lane}`} style={place(row)} />
      </div>
    </div>
  );
});
