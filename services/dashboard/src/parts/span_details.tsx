import type { CheckResult } from '../gen/assay/v1/check_pb';
import { cleanText } from '../model/clean_text';
import { curlCommand } from '../model/curl';
import { durationText } from '../model/format';
import type { Load } from '../model/load_histogram';
import { attributeText } from '../model/trace_span';
import type { LogStream } from '../model/log_stream';
import type { StatementGroup, TraceRow } from '../model/trace_tree';
import { VerdictMark } from './check_list';
import { CurlLine } from './evidence';
import { LoadHistogram } from './load_histogram';
import { Meanwhile } from './meanwhile';
import { spanAddress } from './span_address';
import { StatementGroups } from './statement_groups';

interface Props {
  row: TraceRow;
  // Where it hangs, from the root on.
  above: TraceRow[];
  // The step or check that this span is of.
  judged?: Pick<CheckResult, 'verdict' | 'title' | 'reason' | 'position'>;
  // What it measured, of a load's span.
  load: Load | null;
  groups: readonly StatementGroup[];
  run: string;
  logs: ReadonlyMap<string, LogStream>;
  zoomed: boolean;
  onZoom: () => void;
  onChoose: (id: string) => void;
}

export function SpanDetails(props: Props) {
  const { row, above, judged, zoomed, onZoom, onChoose } = props;
  const { span } = row;
  const command = curlCommand(span);
  return (
    <section className="span-details" aria-label="Chosen span">
      {above.length > 0 && (
        <p className="crumbs">
          {above.map((each) => (
            <span key={each.id}>
              <button
                type="button"
                className="link"
                onClick={() => onChoose(each.id)}
              >
                {each.name}
              </button>
              {' / '}
            </span>
          ))}
        </p>
      )}
      <h3>{row.name}</h3>
      <p className="muted">
        starts after {durationText(row.start)}, takes{' '}
        {durationText(row.duration)}
        {row.below > 0 && `, ${durationText(row.self)} of it by itself`}
        <button type="button" className="quiet" onClick={onZoom}>
          {zoomed ? 'Show the whole run' : 'Zoom to this span'}
        </button>
        <a href={spanAddress(props.run, row.id)}>Link to it</a>
      </p>
      {span.status?.message && (
        <p className="reason">{cleanText(span.status.message)}</p>
      )}
      {judged && (
        <p className="span-step">
          <VerdictMark verdict={judged.verdict} />{' '}
          <code>{cleanText(judged.title)}</code>
          {judged.reason && (
            <span className="why"> {cleanText(judged.reason)}</span>
          )}
          <span className="muted"> {judged.position}</span>
        </p>
      )}
      {command && <CurlLine command={command} />}
      {props.load && <LoadHistogram load={props.load} onChoose={onChoose} />}
      {props.groups.length > 0 && (
        <StatementGroups groups={props.groups} onChoose={onChoose} />
      )}
      <dl>
        {span.attributes.map((pair, i) => (
          <div key={i}>
            <dt>{cleanText(pair.key)}</dt>
            <dd>{attributeText(pair.value)}</dd>
          </div>
        ))}
      </dl>
      {span.events.length > 0 && (
        <ul className="span-events">
          {span.events.map((event, i) => (
            <li key={i}>
              <span className="number muted">
                {durationText(
                  Number(event.timeUnixNano - span.startTimeUnixNano) / 1e6,
                )}
              </span>{' '}
              {cleanText(event.name)}
            </li>
          ))}
        </ul>
      )}
      <Meanwhile
        run={props.run}
        logs={props.logs}
        from={Number(span.startTimeUnixNano / 1_000_000n)}
        to={Number(span.endTimeUnixNano / 1_000_000n) + 1}
      />
    </section>
  );
}
