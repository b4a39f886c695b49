import {
  type KeyboardEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';

import { idOf } from '../model/format';
import { loadOf } from '../model/load_histogram';
import type { RunModel } from '../model/run_model';
import { otlpJson } from '../model/trace_export';
import {
  ancestors,
  statementGroups,
  type TimeRange,
} from '../model/trace_tree';
import { useAddress } from '../router';
import { CheckStrip } from './check_strip';
import { Empty } from './empty';
import { saveFile } from './save_file';
import { SpanDetails } from './span_details';
import { TraceLegend } from './trace_legend';
import { TraceMap, TraceRuler } from './trace_map';
import { ROW, TraceRows } from './trace_rows';
import { TraceTable } from './trace_table';
import { TraceTools } from './trace_tools';
import { useTrace } from './use_trace';
import { useWindow } from './use_window';

// The shortest time that fills the width, in milliseconds.
const CLOSEST = 0.001;

export function TraceView({
  model,
  version,
}: {
  model: RunModel;
  version: number;
}) {
  const { searchParams } = useAddress();
  const trace = useTrace(model, version, searchParams.get('span') ?? '');
  const { tree, rows, chosen, at } = trace;
  // The time that fills the width; null: the whole run's.
  const [range, setRange] = useState<TimeRange | null>(null);
  const shown = useMemo(
    () => range ?? { start: 0, length: tree.length },
    [range, tree],
  );
  const view = useWindow(rows.length, ROW);
  // What the address names is in sight once it has come.
  const awaited = useRef(chosen !== '');
  useEffect(() => {
    const index = rows.findIndex((row) => row.id === chosen);
    if (!awaited.current || index < 0) return;
    awaited.current = false;
    view.scrollTo(index);
  }, [rows, chosen, view]);
  const pins = useMemo(
    () => pinsOf(model),
    // The checks are kept in place; `version` is what says that they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [model, version],
  );
  if (tree.rows.length === 0) {
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
  const selected = tree.rows[at];
  const fills =
    selected !== undefined &&
    range?.start === selected.start &&
    range.length === selected.duration;
  const choose = (id: string) => {
    trace.choose(id);
    const index = rows.findIndex((row) => row.id === id);
    if (index >= 0) view.scrollTo(index);
  };
  const chooseCheck = (id: string) => {
    const row = tree.rows.find((each) => each.id === id);
    if (!row) return;
    trace.choose(id);
    setRange({ start: row.start, length: row.duration });
    // To the top, so that what it did is in sight.
    const index = rows.indexOf(row);
    view.scrollTo(Math.min(rows.length - 1, index + row.below));
    view.scrollTo(Math.max(0, index - 1));
  };
  const zoom = (by: number) => {
    const length = Math.max(CLOSEST, shown.length * by);
    if (length >= tree.length) return setRange(null);
    const middle = selected
      ? selected.start + selected.duration / 2
      : shown.start + shown.length / 2;
    const latest = tree.length - length;
    const start = Math.min(latest, Math.max(0, middle - length / 2));
    setRange({ start, length });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const index = rows.findIndex((row) => row.id === chosen);
    const move = (to: number) => {
      const next = rows[Math.min(rows.length - 1, Math.max(0, to))];
      if (next) choose(next.id);
    };
    const nextFailure = () => {
      const next = rows.findIndex((row, i) => i > index && row.failed);
      return next >= 0 ? next : rows.findIndex((row) => row.failed);
    };
    const actions: Record<string, () => void> = {
      ArrowDown: () => move(index + 1),
      ArrowUp: () => move(index - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => trace.toggle(chosen, false),
      ArrowLeft: () => rows[index]?.below && trace.toggle(chosen, true),
      '+': () => zoom(0.5),
      '-': () => zoom(2),
      '0': () => setRange(null),
      f: () => move(nextFailure()),
    };
    const action = actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
  };
  return (
    <>
      <TraceLegend
        tree={tree}
        dropped={model.droppedSpans}
        finished={model.finished}
        hasFaults={trace.faults.length > 0}
      />
      <CheckStrip
        checks={model.checks.values()}
        chosen={chosen}
        onChoose={chooseCheck}
      />
      <TraceTools
        trace={trace}
        zoomed={range !== null}
        onWhole={() => setRange(null)}
        onExport={() => save(model)}
      />
      <TraceMap tree={tree} range={shown} onRange={setRange} />
      <div className={selected ? 'trace-body with-details' : 'trace-body'}>
        <div>
          {trace.asTable ? (
            <TraceTable rows={rows} chosen={chosen} onChoose={trace.choose} />
          ) : (
            <>
              <TraceRuler range={shown} />
              <TraceRows
                trace={trace}
                view={view}
                range={shown}
                pins={pins}
                onKey={onKey}
              />
            </>
          )}
        </div>
        {selected && (
          <SpanDetails
            row={selected}
            above={ancestors(tree.rows, at)}
            step={stepOf(model, chosen)}
            load={loadOf(tree.rows, at)}
            groups={statementGroups(tree.rows, at)}
            run={model.run?.name ?? ''}
            logs={model.logs}
            zoomed={fills}
            onZoom={() =>
              setRange(
                fills
                  ? null
                  : { start: selected.start, length: selected.duration },
              )
            }
            onChoose={choose}
          />
        )}
      </div>
    </>
  );
}

function pinsOf(model: RunModel): ReadonlyMap<string, string> {
  const pins = new Map<string, string>();
  for (const check of model.checks.values()) {
    if (check.spanId) pins.set(check.spanId, check.position);
    for (const step of check.steps) {
      if (step.spanId) pins.set(step.spanId, step.position);
    }
  }
  return pins;
}

function stepOf(model: RunModel, span: string) {
  for (const check of model.checks.values()) {
    const step = check.steps.find((each) => each.spanId === span);
    if (step) return step;
  }
  return undefined;
}

function save(model: RunModel) {
  const json = otlpJson(model.spans.values());
  saveFile(
    `${idOf(model.run?.name ?? 'run')}.otlp.json`,
    new Blob([json], { type: 'application/json' }),
  );
}
