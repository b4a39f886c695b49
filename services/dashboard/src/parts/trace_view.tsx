import { type KeyboardEvent, useMemo, useState } from 'react';

import { cleanText } from '../model/clean_text';
import { durationText } from '../model/format';
import type { RunModel } from '../model/run_model';
import {
  attributeText,
  type TraceRow,
  traceTree,
  visibleRows,
} from '../model/trace_tree';
import { Empty } from './empty';
import { useWindow } from './use_window';

const ROW = 26;

export function TraceView({
  model,
  version,
}: {
  model: RunModel;
  version: number;
}) {
  // The spans are kept in place; `version` is what says that they changed.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const tree = useMemo(() => traceTree(model.spans.values()), [model, version]);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState('');
  // The span whose time fills the width; empty: the whole run's.
  const [zoomed, setZoomed] = useState('');
  const rows = useMemo(() => visibleRows(tree.rows, closed), [tree, closed]);
  const { box, first, end, scrollTo } = useWindow(rows.length, ROW);
  if (rows.length === 0) {
    return (
      <Empty title="No spans">
        <p>
          {model.finished
            ? 'This run ended before anything was measured.'
            : 'Each phase, check, request and SQL statement appears as it happens.'}
        </p>
      </Empty>
    );
  }
  const toggle = (id: string, close: boolean) => {
    const next = new Set(closed);
    if (close) next.add(id);
    else next.delete(id);
    setClosed(next);
  };
  const onKey = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => row.id === chosen);
    const move = (to: number) => {
      const next = Math.min(rows.length - 1, Math.max(0, to));
      setChosen(rows[next]!.id);
      scrollTo(next);
    };
    switch (event.key) {
      case 'ArrowDown':
        move(at + 1);
        break;
      case 'ArrowUp':
        move(at - 1);
        break;
      case 'Home':
        move(0);
        break;
      case 'End':
        move(rows.length - 1);
        break;
      case 'ArrowRight':
        toggle(chosen, false);
        break;
      case 'ArrowLeft':
        if (rows[at]?.below) toggle(chosen, true);
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  const selected = rows.find((row) => row.id === chosen);
  const frame = tree.rows.find((row) => row.id === zoomed);
  const start = frame?.start ?? 0;
  const length = frame?.duration ?? tree.length;
  return (
    <>
      <p className="legend">
        <span className="lane runner">runner</span>
        <span className="lane service">requests</span>
        <span className="lane database">statements</span>
        <span className="lane reported">reported by the service</span>
        <span className="muted">
          {tree.rows.length} spans, {durationText(tree.length)}
        </span>
        {model.droppedSpans > 0n && (
          <span className="muted">
            {String(model.droppedSpans)} more were dropped
          </span>
        )}
      </p>
      <div
        className="trace"
        ref={box}
        role="treegrid"
        aria-label="Trace"
        aria-rowcount={rows.length}
        aria-activedescendant={selected ? `span-${chosen}` : undefined}
        tabIndex={0}
        onKeyDown={onKey}
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
                start={start}
                length={length}
                closed={closed.has(row.id)}
                chosen={row.id === chosen}
                onChoose={() => setChosen(row.id)}
                onToggle={() => toggle(row.id, !closed.has(row.id))}
              />
            ))}
          </div>
        </div>
      </div>
      {selected && (
        <Details
          row={selected}
          zoomed={zoomed === chosen}
          onZoom={() => setZoomed(zoomed === chosen ? '' : chosen)}
        />
      )}
    </>
  );
}

interface RowProps {
  row: TraceRow;
  index: number;
  // What the width stands for, in milliseconds.
  start: number;
  length: number;
  closed: boolean;
  chosen: boolean;
  onChoose: () => void;
  onToggle: () => void;
}

function Row(props: RowProps) {
  const { row, index, start, length, closed, chosen, onChoose, onToggle } =
    props;
  const share = (part: number) => `${(100 * part) / Math.max(length, 1e-6)}%`;
  return (
    <div
      role="row"
      id={`span-${row.id}`}
      aria-rowindex={index + 1}
      aria-level={row.depth + 1}
      aria-expanded={row.below ? !closed : undefined}
      aria-selected={chosen}
      className={`trace-row ${row.failed ? 'failed' : ''}`}
      onClick={onChoose}
      onDoubleClick={onToggle}
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
          onClick={onToggle}
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
      </div>
      <div role="gridcell" className="number trace-duration">
        {durationText(row.duration)}
      </div>
      <div role="presentation" className="trace-track">
        <div
          className={`bar ${row.lane}`}
          style={{ left: share(row.start - start), width: share(row.duration) }}
        />
      </div>
    </div>
  );
}

interface DetailsProps {
  row: TraceRow;
  zoomed: boolean;
  onZoom: () => void;
}

function Details({ row, zoomed, onZoom }: DetailsProps) {
  const { span } = row;
  return (
    <section className="span-details" aria-label="Chosen span">
      <h3>{row.name}</h3>
      <p className="muted">
        starts after {durationText(row.start)}, takes{' '}
        {durationText(row.duration)}
        <button type="button" className="quiet" onClick={onZoom}>
          {zoomed ? 'Show the whole run' : 'Zoom to this span'}
        </button>
      </p>
      {span.status?.message && (
        <p className="reason">{cleanText(span.status.message)}</p>
      )}
      <dl>
        {span.attributes.map((pair, i) => (
          <div key={i}>
            <dt>{cleanText(pair.key)}</dt>
            <dd>{attributeText(pair.value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
