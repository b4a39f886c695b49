import type { Trace } from './use_trace';

const COMMON =
  '+ and − zoom, shift and arrows move in time, 0 shows all, f goes to the next failure';
const HINTS = {
  tree: `Arrows walk and fold, ${COMMON}, l shows lanes`,
  lanes: `Arrows walk along lanes and across, ${COMMON}, l shows the tree`,
};

const LAYOUTS = [
  {
    id: 'tree',
    label: 'Tree',
    title: 'Each span below the one that caused it',
  },
  {
    id: 'lanes',
    label: 'Lanes',
    title: 'Runner, service and database below each other, on one clock',
  },
] as const;

interface Props {
  trace: Trace;
  zoomed: boolean;
  onWhole: () => void;
  onExport: () => void;
}

export function TraceTools({ trace, zoomed, onWhole, onExport }: Props) {
  const { tree, filter, matched, showsPath, layout, asTable } = trace;
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
        <div className="choice" role="group" aria-label="Layout">
          {LAYOUTS.map(({ id, label, title }) => (
            <button
              key={id}
              type="button"
              className="quiet"
              aria-pressed={layout === id}
              title={title}
              onClick={() => trace.setLayout(id)}
            >
              {label}
            </button>
          ))}
        </div>
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
            : HINTS[layout])}
      </p>
    </>
  );
}
