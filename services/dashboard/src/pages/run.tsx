import type { Run } from '../gen/assay/v1/run_pb';
import { cleanText } from '../model/clean_text';
import { idOf, kindText, shortCommit } from '../model/format';
import { whyNothing } from '../model/nothing';
import { CheckList } from '../parts/check_list';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { Empty } from '../parts/empty';
import { Loading } from '../parts/loading';
import { LogView } from '../parts/log_view';
import { PhaseStrip } from '../parts/phase_strip';
import { RunCompare } from '../parts/run_compare';
import { RunPill, ScoreText } from '../parts/run_pill';
import { tookText } from '../parts/run_table';
import { Tabs } from '../parts/tabs';
import { Time } from '../parts/time';
import { TraceView } from '../parts/trace_view';
import { useNow } from '../parts/use_now';
import { useRun } from '../parts/use_run';
import { goTo, Link, useAddress } from '../router';
import { candidateClients, sentence, useClients } from '../rpc/client';
import type { Connection } from '../rpc/follow';

export function RunPage({ name }: { name: string }) {
  const { model, version, connection } = useRun(name);
  const { pathname, searchParams } = useAddress();
  const now = useNow(model.finished ? 0 : 250);
  const { run } = model;
  const forCandidate = useClients() === candidateClients;
  const tabs = [
    {
      id: 'checks',
      label: `Checks (${model.checks.size})`,
      content: () => (
        <CheckList model={model} version={version} evidence={!forCandidate} />
      ),
    },
    {
      id: 'log',
      label: 'Log',
      content: () => (
        <LogView
          logs={model.logs}
          running={!model.finished}
          why={whyNothing(run)}
        />
      ),
    },
  ];
  if (!forCandidate) {
    tabs.push({
      id: 'trace',
      label: model.awaitsSpans ? 'Trace' : `Trace (${model.spans.size})`,
      content: () =>
        model.awaitsSpans ? (
          <SpansToCome connection={connection} />
        ) : (
          <TraceView model={model} version={version} />
        ),
    });
    tabs.push({
      id: 'compare',
      label: 'Compare',
      content: () => (
        <RunCompare
          model={model}
          version={version}
          other={searchParams.get('with') ?? ''}
          onChoose={(other) =>
            goTo(
              `${pathname}?tab=compare${other && `&with=${encodeURIComponent(other)}`}`,
              'replace',
            )
          }
        />
      ),
    });
  }
  return (
    <>
      <title>{`Run ${idOf(name).slice(0, 10)} · Assay`}</title>
      <Crumbs run={run} forCandidate={forCandidate} />
      <ConnectionNotice connection={connection} />
      {!run && connection.state !== 'failed' && <Loading what="run" />}
      {run && (
        <>
          <div className="section-head">
            <h1>
              {kindText(run.kind) === 'final' ? 'Final run' : 'Run'} of{' '}
              <span className="mono">{shortCommit(run.commit)}</span>
            </h1>
            <RunPill run={run} />
            <LiveMark connection={connection} />
            <span className="big-score">
              <ScoreText run={run} />
            </span>
          </div>
          <RunFacts run={run} now={now} />
          {run.outcomeReason && (
            <p className="notice bad">{cleanText(run.outcomeReason)}</p>
          )}
          <PhaseStrip phases={model.phases} now={now} />
          <Tabs
            label="Parts of the run"
            tabs={tabs}
            current={searchParams.get('tab') ?? 'checks'}
            onChange={(tab) => goTo(`${pathname}?tab=${tab}`, 'replace')}
          />
        </>
      )}
    </>
  );
}

// What went wrong stands above, too; that there are none would be a guess.
function SpansToCome({ connection }: { connection: Connection }) {
  if (connection.state !== 'failed') return <Loading what="spans" />;
  return (
    <Empty title="The spans could not be read">
      <p>{sentence(connection.error)}</p>
    </Empty>
  );
}

function RunFacts({ run, now }: { run: Run; now: number }) {
  return (
    <dl className="facts">
      <div>
        <dt>Run</dt>
        <dd className="mono">{idOf(run.name)}</dd>
      </div>
      <div>
        <dt>Kind</dt>
        <dd>{kindText(run.kind)}</dd>
      </div>
      <div>
        <dt>Queued</dt>
        <dd>
          <Time at={run.queueTime} now={now} />
        </dd>
      </div>
      <div>
        <dt>Took</dt>
        <dd>{tookText(run, now) || '–'}</dd>
      </div>
      {run.epoch > 1n && (
        <div>
          <dt>Try</dt>
          <dd>{String(run.epoch)}</dd>
        </div>
      )}
    </dl>
  );
}

function Crumbs({
  run,
  forCandidate,
}: {
  run: Run | null;
  forCandidate: boolean;
}) {
  if (forCandidate) {
    return (
      <p className="crumbs">
        <Link href="/attempt">Your attempt</Link>
      </p>
    );
  }
  return (
    <p className="crumbs">
      <Link href="/">Assignments</Link>
      {run && (
        <>
          {' / '}
          <Link href={`/${run.assignment}`}>{idOf(run.assignment)}</Link>
          {' / '}
          <Link href={`/${run.attempt}`}>{idOf(run.attempt)}</Link>
        </>
      )}
    </p>
  );
}
