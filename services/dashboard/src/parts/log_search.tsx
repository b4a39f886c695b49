import type { KeyboardEvent } from 'react';

interface Props {
  query: string;
  onQuery: (query: string) => void;
  onStep: (by: number) => void;
  // Which of the lines that were found is shown, from 1.
  position: number;
  found: number;
}

export function LogSearch(props: Props) {
  const { query, onQuery, onStep, position, found } = props;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    onStep(event.shiftKey ? -1 : 1);
  };
  return (
    <span className="log-search" role="search">
      <input
        type="search"
        aria-label="Find in this output"
        placeholder="Find"
        value={query}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={onKey}
      />
      <span className="muted" aria-live="polite">
        {query && (found ? `${position} of ${found}` : 'not found')}
      </span>
      {found > 0 && (
        <>
          <button
            type="button"
            className="quiet"
            aria-label="Line before"
            onClick={() => onStep(-1)}
          >
            ↑
          </button>
          <button
            type="button"
            className="quiet"
            aria-label="Line after"
            onClick={() => onStep(1)}
          >
            ↓
          </button>
        </>
      )}
    </span>
  );
}
