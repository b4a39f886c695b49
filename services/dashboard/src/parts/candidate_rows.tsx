import { memo } from 'react';

import type { Candidate } from '../gen/assay/v1/overview_service_pb';
import type { Choice, Column } from '../model/candidates';
import { Link } from '../router';
import { Time } from './time';
import { useWindow } from './use_window';

// As styles/desk.css has it.
const ROW_HEIGHT = 36;

interface Props {
  rows: readonly Candidate[];
  columns: Column[];
  now: number;
  choice: Choice;
  onChange: (more: Partial<Choice>) => void;
}

// What scrolls draws nothing around it.
export function CandidateRows({ rows, columns, now, choice, onChange }: Props) {
  const { box, first, end } = useWindow(rows.length, ROW_HEIGHT);
  return (
    // A scrolling box is reached by the keyboard.
    <div
      ref={box}
      className="table-window"
      tabIndex={0}
      role="region"
      aria-label="Candidates"
    >
      <table aria-rowcount={rows.length + 1}>
        <Head columns={columns} choice={choice} onChange={onChange} />
        <tbody>
          <Gap rows={first} columns={columns.length} />
          {rows.slice(first, end).map((one, i) => (
            <Row
              key={one.invitation}
              place={first + i + 2}
              columns={columns}
              one={one}
              now={now}
            />
          ))}
          <Gap rows={rows.length - end} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

// Scrolling draws those that came into sight, and no other anew.
const Row = memo(function Row(props: {
  place: number;
  columns: Column[];
  one: Candidate;
  now: number;
}) {
  const { place, columns, one, now } = props;
  return (
    <tr aria-rowindex={place}>
      {columns.map((column) => (
        <Cell key={column.id} column={column} one={one} now={now} />
      ))}
    </tr>
  );
});

// The height of rows that are not drawn.
function Gap({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" className="gap">
      <td
        colSpan={columns}
        ref={(cell) => {
          // The content security policy takes styles from scripts only so.
          if (cell) cell.style.height = `${rows * ROW_HEIGHT}px`;
        }}
      />
    </tr>
  );
}

const Head = memo(function Head({
  columns,
  choice,
  onChange,
}: {
  columns: Column[];
  choice: Choice;
  onChange: (more: Partial<Choice>) => void;
}) {
  const order = (id: string) => {
    if (choice.sort !== id) return 'none';
    return choice.down ? 'descending' : 'ascending';
  };
  return (
    <thead>
      <tr aria-rowindex={1}>
        {columns.map(({ id, label, number }) => (
          <th
            key={id}
            scope="col"
            aria-sort={order(id)}
            className={number ? 'number' : ''}
          >
            <button
              type="button"
              className="sort"
              onClick={() =>
                onChange({ sort: id, down: choice.sort === id && !choice.down })
              }
            >
              {label}
              <span aria-hidden="true">
                {{ none: '', ascending: ' ↑', descending: ' ↓' }[order(id)]}
              </span>
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
});

function Cell({
  column,
  one,
  now,
}: {
  column: Column;
  one: Candidate;
  now: number;
}) {
  const text = column.text(one);
  if (column.id === 'candidate' && one.attempt) {
    return (
      <td>
        <Link href={`/${one.attempt}`}>{text}</Link>
      </td>
    );
  }
  if (column.id === 'score' && one.finalRun) {
    return (
      <td className="number">
        <Link href={`/${one.finalRun}`}>{text || 'no score'}</Link>
      </td>
    );
  }
  if (column.time) {
    return (
      <td>
        <Time at={column.time(one)} now={now} />
      </td>
    );
  }
  return <td className={column.number ? 'number' : ''}>{text || '–'}</td>;
}
