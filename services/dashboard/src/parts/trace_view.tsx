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
import { NoSpans } from './no_spans';
import { saveFile } from './save_file';
import { SpanDetails } from './span_details';
import { onTraceKey } from './trace_keys';
import { TraceLanes } from './trace_lanes';
import { TraceLegend } from './trace_legend';
import { TraceMap, TraceTicks } from './trace_map';
import { type RowScroller, TraceRows } from './trace_rows';
import { TraceTable } from './trace_table';
import { TraceTools } from './trace_tools';
import { useTrace } from './use_trace';

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
  const view = useRef<RowScroller>(null);
  // What the address names is in sight once it has come.
  const awaited = useRef(chosen !== '');
  useEffect(() => {
    const index = rows.findIndex((row) => row.id === chosen);
    if (!awaited.current || index < 0) return;
    awaited.current = false;
    view.current?.scrollTo(index);
  }, [rows, chosen]);
  // Keys go on where they were when the trace is laid out otherwise by one.
  const body = useRef<HTMLDivElement>(null);
  const byKey = useRef(false);
  useEffect(() => {
    if (byKey.current)
      body.current?.querySelector<HTMLElement>('.trace')?.focus();
    byKey.current = false;
  }, [trace.layout]);
  const pins = useMemo(
    () => pinsOf(model),
    // The checks are kept in place; `version` is what says that they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [model, version],
  );
  const about = useMemo(
    () => ({
      above: ancestors(tree.rows, at),
      load: loadOf(tree.rows, at),
      groups: statementGroups(tree.rows, at),
    }),
    [tree, at],
  );
  if (tree.rows.length === 0) return <NoSpans model={model} />;
  const selected = tree.rows[at];
  const fills =
    selected !== undefined &&
    range?.start === selected.start &&
    range.length === selected.duration;
  const choose = (id: string) => {
    trace.choose(id);
    const index = rows.findIndex((row) => row.id === id);
    if (index >= 0) view.current?.scrollTo(index);
  };
  const chooseCheck = (id: string) => {
    const row = tree.rows.find((each) => each.id === id);
    if (!row) return;
    trace.choose(id);
    setRange({ start: row.start, length: row.duration });
    // To the top, so that what it did is in sight.
    const index = rows.indexOf(row);
    view.current?.scrollTo(Math.min(rows.length - 1, index + row.below));
    view.current?.scrollTo(Math.max(0, index - 1));
  };
  const onLayout = () => {
    byKey.current = true;
    trace.setLayout(trace.layout === 'tree' ? 'lanes' : 'tree');
  };
  const onKey = (event: KeyboardEvent) =>
    onTraceKey(event, { trace, shown, setRange, choose, onLayout });
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
        <div ref={body}>
          {trace.asTable ? (
            <TraceTable trace={trace} />
          ) : trace.layout === 'lanes' ? (
            <TraceLanes
              trace={trace}
              range={shown}
              onRange={setRange}
              onKey={onKey}
            />
          ) : (
            <>
              <div className="trace-ruler" aria-hidden="true">
                <span />
                <span className="number">took</span>
                <span className="number">own</span>
                <TraceTicks range={shown} />
              </div>
              <TraceRows
                ref={view}
                trace={trace}
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
            above={about.above}
            judged={judgedAt(model, chosen)}
            load={about.load}
            groups={about.groups}
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

// What was judged where a span is: a step, or a check as a whole.
function judgedAt(model: RunModel, span: string) {
  for (const check of model.checks.values()) {
    const step = check.steps.find((each) => each.spanId === span);
    if (step) return step;
    if (check.spanId === span) return check;
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
