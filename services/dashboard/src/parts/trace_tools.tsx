import type { Trace } from './use_trace';

interface Props {
  trace: Trace;
  zoomed: boolean;
  onWhole: () => void;
  onExport: () => void;
}

export function TraceTools({ trace, zoomed, onWhole, onExport }: Props) {
  const { tree, filter, matched, showsPath, asTable } = trace;
  return (
    <>
      <div className="trace-tools" role="search">
        <input
          type="search"
          aria-label="Filter spans"
          placeholder="Filter: orders duration>5ms http.response.status_code>=400 failed"
          value={trace.text}
          onChange={(event) => trace.setText(event.target.value)}
        />
        <button
          type="button"
          className="quiet"
          aria-pressed={showsPath}
          title="What decided how long the chosen span took"
          onClick={() => trace.setShowsPath(!showsPath)}
        >
          Critical path
        </button>
        <button
          type="button"
          className="quiet"
          aria-pressed={asTable}
          onClick={() => trace.setAsTable(!asTable)}
        >
          As a table
        </button>
        {zoomed && (
          <button type="button" className="quiet" onClick={onWhole}>
            Whole run
          </button>
        )}
        <button
          type="button"
          className="quiet"
          title="All spans as OTLP JSON"
          onClick={onExport}
        >
          Export
        </button>
      </div>
      <p className="muted trace-hint" aria-live="polite">
        {filter.problem ||
          (matched
            ? `${matched.size} of ${tree.rows.length} spans match`
            : 'Arrows walk and fold, + and − zoom, 0 shows all, f goes to the next failure')}
      </p>
    </>
  );
}
