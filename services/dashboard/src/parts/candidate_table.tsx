import { create, toJsonString } from '@bufbuild/protobuf';
import { useDeferredValue, useMemo, useState } from 'react';

import {
  type Candidate,
  Candidate_State,
  ListCandidatesResponseSchema,
} from '../gen/assay/v1/overview_service_pb';
import {
  type Choice,
  choose,
  COLUMNS,
  csvOf,
  stateText,
  USUAL_COLUMNS,
} from '../model/candidates';
import { CandidateRows } from './candidate_rows';
import { csvFile, saveFile } from './save_file';

const SHOWN_KEY = 'assay.columns';

interface Props {
  assignment: string;
  list: readonly Candidate[];
  // There are more, still on their way.
  partial: boolean;
  now: number;
}

// Everybody who was invited: filtered, sorted, and only the rows in sight are
// drawn, so that ten thousand scroll as ten do.
export function CandidateTable({ assignment, list, partial, now }: Props) {
  const [choice, setChoice] = useState<Choice>({
    words: '',
    state: Candidate_State.UNSPECIFIED,
    sort: '',
    down: false,
  });
  const [shown, setShown] = useState(readShown);
  // Typing goes on while a long list is searched.
  const deferred = useDeferredValue(choice);
  const rows = useMemo(() => choose(list, deferred), [list, deferred]);
  const columns = useMemo(
    () => COLUMNS.filter(({ id }) => shown.includes(id)),
    [shown],
  );
  const change = (more: Partial<Choice>) => setChoice({ ...choice, ...more });
  const show = (next: string[]) => {
    localStorage.setItem(SHOWN_KEY, JSON.stringify(next));
    setShown(next);
  };
  return (
    <>
      <Tools
        choice={choice}
        shown={shown}
        count={
          rows.length === list.length
            ? `${list.length}${partial ? ' so far' : ''}`
            : `${rows.length} of ${list.length}`
        }
        onChange={change}
        onShow={show}
        onSave={(kind) => save(kind, assignment, rows)}
      />
      <CandidateRows
        rows={rows}
        columns={columns}
        now={now}
        choice={choice}
        onChange={change}
      />
    </>
  );
}

interface ToolsProps {
  choice: Choice;
  shown: string[];
  count: string;
  onChange: (more: Partial<Choice>) => void;
  onShow: (shown: string[]) => void;
  onSave: (kind: 'csv' | 'json') => void;
}

const STATES = [
  Candidate_State.UNSPECIFIED,
  Candidate_State.INVITED,
  Candidate_State.ACCEPTED,
  Candidate_State.STARTED,
  Candidate_State.SUBMITTED,
  Candidate_State.NOTHING_SUBMITTED,
  Candidate_State.DECIDED,
  Candidate_State.EXPIRED,
  Candidate_State.REVOKED,
];

function Tools(props: ToolsProps) {
  const { choice, shown, onChange, onShow, onSave } = props;
  return (
    <div className="table-tools">
      <label>
        <span className="visually-hidden">Filter candidates</span>
        <input
          type="search"
          placeholder="Filter candidates"
          value={choice.words}
          onChange={(event) => onChange({ words: event.target.value })}
        />
      </label>
      <label>
        <span className="visually-hidden">State</span>
        <select
          value={choice.state}
          onChange={(event) => onChange({ state: Number(event.target.value) })}
        >
          {STATES.map((state) => (
            <option key={state} value={state}>
              {stateText(state) || 'any state'}
            </option>
          ))}
        </select>
      </label>
      <span className="muted" role="status">
        {props.count}
      </span>
      <span className="spring" />
      <details className="menu">
        <summary>Columns</summary>
        <div className="menu-box">
          {COLUMNS.map(({ id, label }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={shown.includes(id)}
                disabled={id === 'candidate'}
                onChange={(event) =>
                  onShow(
                    event.target.checked
                      ? [...shown, id]
                      : shown.filter((other) => other !== id),
                  )
                }
              />{' '}
              {label}
            </label>
          ))}
        </div>
      </details>
      <button type="button" className="quiet" onClick={() => onSave('csv')}>
        CSV
      </button>
      <button type="button" className="quiet" onClick={() => onSave('json')}>
        JSON
      </button>
    </div>
  );
}

function readShown(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(SHOWN_KEY) ?? 'null');
    if (Array.isArray(kept)) {
      const known = kept.filter((id) => COLUMNS.some((one) => one.id === id));
      return known.includes('candidate') ? (known as string[]) : USUAL_COLUMNS;
    }
  } catch {
    // What somebody else left there counts for nothing.
  }
  return USUAL_COLUMNS;
}

// The rows as they are filtered and sorted, as the command line writes them.
function save(kind: 'csv' | 'json', assignment: string, rows: Candidate[]) {
  const name = `${assignment.slice(assignment.lastIndexOf('/') + 1)}-candidates.${kind}`;
  if (kind === 'csv') return saveFile(name, csvFile(csvOf(rows)));
  const message = create(ListCandidatesResponseSchema, { candidates: rows });
  const json = toJsonString(ListCandidatesResponseSchema, message, {
    prettySpaces: 2,
  });
  saveFile(name, new Blob([json], { type: 'application/json' }));
}
