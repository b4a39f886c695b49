import { useState } from 'react';

import type {
  GetHomeResponse,
  GetHomeResponse_Funnel,
} from '../gen/assay/v1/overview_service_pb';
import { idOf, protoDurationText, suiteText } from '../model/format';
import { sees, writes } from '../model/role';
import { mergeRuns, type RunList } from '../model/run_list';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { Empty } from '../parts/empty';
import { FunnelBar } from '../parts/funnel_bar';
import { Answer, Loading } from '../parts/loading';
import { QueueTable } from '../parts/queue_table';
import { RunTable } from '../parts/run_table';
import { useSelf } from '../parts/self';
import { useFollow } from '../parts/use_follow';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { useSoon } from '../parts/use_soon';
import { WaitingList } from '../parts/waiting_list';
import { WorkerTable } from '../parts/worker_table';
import { Link } from '../router';
import { useClients } from '../rpc/client';
import { scrollable } from '../parts/scrollable';

// How many of the newest runs stand on the page.
const SHOWN_RUNS = 50;
const WORKERS_EVERY = 15_000;

export function HomePage() {
  const self = useSelf();
  const { overview, workers } = useClients();
  const home = useLoad((signal) => overview.getHome({}, { signal }));
  const now = useNow(1000);
  // A worker comes and goes without a word to the stream.
  const machines = useLoad(
    (signal) => workers.listWorkers({}, { signal }),
    Math.floor(now / WORKERS_EVERY),
  );
  const reload = () => {
    home.reload();
    machines.reload();
  };
  return (
    <>
      <title>Assay</title>
      {home.value && home.value.waitingCount > 0 && (
        <section aria-labelledby="waiting" className="first">
          <h2 id="waiting">Waits for a person</h2>
          <WaitingList home={home.value} now={now} />
        </section>
      )}
      <section aria-labelledby="assignments">
        <div className="section-head">
          <h1 id="assignments">Assignments</h1>
          {writes(self?.role) && (
            <Link href="/new" className="button">
              New assignment
            </Link>
          )}
        </div>
        <Answer of={home} what="assignments">
          {(value) => <AssignmentList list={value.funnels} />}
        </Answer>
      </section>
      {/* Observers see numbers, and no single run. */}
      {(!self || sees(self.role)) && (
        <Runs home={home.value} now={now} onChanged={reload} />
      )}
      <section aria-labelledby="workers">
        <h2 id="workers">Workers</h2>
        <Answer of={machines} what="workers">
          {(value) => (
            <WorkerTable
              workers={value.workers}
              now={now}
              onChanged={machines.reload}
            />
          )}
        </Answer>
        {home.value && <p className="muted">{loadText(home.value)}</p>}
      </section>
    </>
  );
}

function loadText(home: GetHomeResponse): string {
  const counts = `${home.runningCount} running, ${home.queuedCount} queued`;
  return home.usualRunDuration
    ? `${counts}. A run usually takes ${protoDurationText(home.usualRunDuration)}.`
    : `${counts}.`;
}

function Runs({
  home,
  now,
  onChanged,
}: {
  home: GetHomeResponse | null;
  now: number;
  onChanged: () => void;
}) {
  const { runs } = useClients();
  const [list, setList] = useState<RunList | null>(null);
  const soon = useSoon(onChanged);
  const connection = useFollow({
    open: (signal) => runs.watchRuns({}, { signal }),
    onMessage: (message) => {
      setList((before) => mergeRuns(before ?? [], message.runs));
      // Counts and what waits may have changed, also where no run has.
      soon();
    },
    ends: false,
  });
  return (
    <>
      {home && home.queue.length > 0 && (
        <section aria-labelledby="queue">
          <h2 id="queue">Queue</h2>
          <QueueTable home={home} now={now} />
        </section>
      )}
      <section aria-labelledby="runs">
        <div className="section-head">
          <h2 id="runs">Runs</h2>
          <LiveMark connection={connection} />
        </div>
        <ConnectionNotice connection={connection} />
        {list === null ? (
          connection.state !== 'failed' && <Loading what="runs" />
        ) : list.length === 0 ? (
          <Empty title="No runs yet">
            <p>
              Each push of a candidate makes one. They appear here as they
              happen.
            </p>
          </Empty>
        ) : (
          <RunTable runs={list.slice(0, SHOWN_RUNS)} now={now} />
        )}
      </section>
    </>
  );
}

function AssignmentList({ list }: { list: GetHomeResponse_Funnel[] }) {
  if (list.length === 0) {
    return (
      <Empty title="No assignments yet">
        <p>
          An assignment is a brief, a template and a suite. Write one here, or
          start with the sample:
        </p>
        <pre ref={scrollable}>
          assay assignment create docs/examples/orders-api
        </pre>
      </Empty>
    );
  }
  return (
    <ul className="cards">
      {list.map((funnel) => (
        <li key={funnel.assignment}>
          <AssignmentCard funnel={funnel} />
        </li>
      ))}
    </ul>
  );
}

function AssignmentCard({ funnel }: { funnel: GetHomeResponse_Funnel }) {
  return (
    <article className="card">
      <h3>
        <Link href={`/${funnel.assignment}`}>
          {funnel.title || idOf(funnel.assignment)}
        </Link>
      </h3>
      <p className="muted">
        <span className="mono">{idOf(funnel.assignment)}</span>, version{' '}
        {funnel.version}, {suiteText(funnel)}
      </p>
      <FunnelBar funnel={funnel} />
    </article>
  );
}
