import { cleanText } from '../model/clean_text';
import { durationText } from '../model/format';
import type { TraceRow } from '../model/trace_tree';

// More than anyone listens to; a filter leads to the others.
const MOST = 1_000;

const WHO = {
  runner: 'runner',
  service: 'request',
  database: 'statement',
  reported: 'reported by the service',
};

interface Props {
  rows: readonly TraceRow[];
  chosen: string;
  onChoose: (id: string) => void;
}

// The spans in words, for whoever does not see bars.
export function TraceTable({ rows, chosen, onChoose }: Props) {
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
        <tbody>
          {rows.slice(0, MOST).map((row) => (
            <tr key={row.id} aria-current={row.id === chosen || undefined}>
              <td className="number">{row.depth + 1}</td>
              <td>
                <button
                  type="button"
                  className="link"
                  onClick={() => onChoose(row.id)}
                >
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
                {row.failed &&
                  `failed: ${cleanText(row.span.status?.message ?? '')}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST && (
        <p className="muted">
          These are the first {MOST} of {rows.length} spans; a filter shows
          others.
        </p>
      )}
    </div>
  );
}
