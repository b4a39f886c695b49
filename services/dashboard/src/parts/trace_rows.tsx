import type { KeyboardEvent } from 'react';

import { cleanText } from '../model/clean_text';
import { durationText } from '../model/format';
import type { TimeRange, TraceRow } from '../model/trace_tree';
import type { Trace } from './use_trace';
import type { Window } from './use_window';

export const ROW = 26;

interface Props {
  trace: Trace;
  view: Window;
  range: TimeRange;
  onKey: (event: KeyboardEvent) => void;
}

// The tree of spans beside their bars. Only rows in sight are drawn.
export function TraceRows(props: Props) {
  const { trace, view, range } = props;
  const { rows, closed, matched, critical, chosen } = trace;
  const { box, first, end } = view;
  return (
    <div
      className="trace"
      ref={box}
      role="treegrid"
      aria-label="Trace"
      aria-rowcount={rows.length}
      aria-activedescendant={
        rows.some((row) => row.id === chosen) ? `span-${chosen}` : undefined
      }
      tabIndex={0}
      onKeyDown={props.onKey}
    >
      <div style={{ height: rows.length * ROW }} role="presentation">
        <div
          style={{ transform: `translateY(${first * ROW}px)` }}
          role="presentation"
        >
          {rows.slice(first, end).map((row, i) => (
            <Row
              key={row.id}
              row={row}
              index={first + i}
              range={range}
              closed={closed.has(row.id)}
              chosen={row.id === chosen}
              faded={matched !== null && !matched.has(row.id)}
              critical={critical.has(row.id)}
              faults={trace.faults}
              onChoose={() => trace.choose(row.id)}
              onToggle={() => trace.toggle(row.id, !closed.has(row.id))}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  row: TraceRow;
  index: number;
  range: TimeRange;
  closed: boolean;
  chosen: boolean;
  faded: boolean;
  critical: boolean;
  faults: TraceRow[];
  onChoose: () => void;
  onToggle: () => void;
}

function Row(props: RowProps) {
  const { row, index, range, closed, chosen, faults } = props;
  const share = (part: number) =>
    `${(100 * part) / Math.max(range.length, 1e-6)}%`;
  const place = ({ start, duration }: TraceRow) => ({
    left: share(start - range.start),
    width: share(duration),
  });
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
      onClick={props.onChoose}
      onDoubleClick={props.onToggle}
    >
      <div
        role="gridcell"
        className="trace-name"
        style={{ paddingLeft: Math.min(row.depth, 20) * 16 + 4 }}
      >
        <button
          type="button"
          className="twist"
          tabIndex={-1}
          aria-hidden="true"
          onClick={props.onToggle}
          disabled={!row.below}
        >
          {row.below ? (closed ? '▸' : '▾') : ''}
        </button>
        <span className="name-text" title={row.name}>
          {row.name}
        </span>
        {row.repeated > 0 && (
          <span className="tag warn">same statement × {row.repeated}</span>
        )}
        {row.failed && (
          <span className="why-failed">
            {cleanText(row.span.status?.message ?? '')}
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
}
