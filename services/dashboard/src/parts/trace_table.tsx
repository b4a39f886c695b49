import { memo } from 'react';

import { cleanText } from '../model/clean_text';
import { durationText } from '../model/format';
import { lanesOf } from '../model/trace_lanes';
import type { TraceRow } from '../model/trace_tree';
import { laneText } from './trace_lanes';
import type { Trace } from './use_trace';

// More than anyone listens to, of a trace or of each lane; a filter leads to the
// others.
const MOST = 1_000;
const MOST_OF_LANE = 300;

const WHO = {
  runner: 'runner',
  service: 'request',
  database: 'statement',
  reported: 'reported by the service',
};

interface Group {
  // Whose spans they are; empty where they stand as in the tree.
  title: string;
  rows: readonly TraceRow[];
  most: number;
}

// The spans in words, for whoever does not see bars: in the order of the tree, or
// lane by lane.
export function TraceTable({ trace }: { trace: Trace }) {
  const { chosen, choose } = trace;
  const groups = groupsOf(trace);
  return (
    <div
      className="trace table-scroll"
      tabIndex={0}
      role="region"
      aria-label="Spans as a table"
    >
      <table>
        <thead>
          <tr>
            <th scope="col" className="number">
              Level
            </th>
            <th scope="col">Span</th>
            <th scope="col">Who</th>
            <th scope="col" className="number">
              Starts after
            </th>
            <th scope="col" className="number">
              Takes
            </th>
            <th scope="col" className="number">
              By itself
            </th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        {groups.map(({ title, rows, most }) => (
          <tbody key={title}>
            {title && (
              <tr>
                <th scope="rowgroup" colSpan={7} className="lane-title">
                  {title}
                </th>
              </tr>
            )}
            {rows.slice(0, most).map((row) => (
              <Line
                key={row.id}
                row={row}
                chosen={row.id === chosen}
                onChoose={choose}
              />
            ))}
            {rows.length > most && (
              <tr>
                <td colSpan={7} className="muted">
                  These are the first {most} of {rows.length} spans; a filter
                  shows others.
                </td>
              </tr>
            )}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function groupsOf({ tree, rows, matched, layout }: Trace): Group[] {
  if (layout === 'tree') return [{ title: '', rows, most: MOST }];
  return lanesOf(tree).map((lane) => ({
    title: `${lane.lane}: ${laneText(lane)}`,
    rows: matched ? lane.spans.filter(({ id }) => matched.has(id)) : lane.spans,
    most: MOST_OF_LANE,
  }));
}

const Line = memo(function Line(props: {
  row: TraceRow;
  chosen: boolean;
  onChoose: (id: string) => void;
}) {
  const { row, chosen, onChoose } = props;
  return (
    <tr aria-current={chosen || undefined}>
      <td className="number">{row.depth + 1}</td>
      <td>
        <button type="button" className="link" onClick={() => onChoose(row.id)}>
          {row.name || 'no name'}
        </button>
        {row.repeated > 0 &&
          `, the same statement ${row.repeated} times below it`}
      </td>
      <td>{row.isFault ? 'fault at work' : WHO[row.lane]}</td>
      <td className="number">{durationText(row.start)}</td>
      <td className="number">{durationText(row.duration)}</td>
      <td className="number">{durationText(row.self)}</td>
      <td>
        {row.failed && `failed: ${cleanText(row.span.status?.message ?? '')}`}
      </td>
    </tr>
  );
});
