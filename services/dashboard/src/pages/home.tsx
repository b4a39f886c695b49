import { useState } from 'react';

import type { Assignment } from '../gen/assay/v1/assignment_pb';
import type { GetSystemResponse } from '../gen/assay/v1/system_service_pb';
import { idOf, pointsText } from '../model/format';
import { mergeRuns, type RunList } from '../model/run_list';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { Empty } from '../parts/empty';
import { RunTable } from '../parts/run_table';
import { useFollow } from '../parts/use_follow';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { Link } from '../router';
import { sentence, useClients } from '../rpc/client';

export function HomePage() {
  const { assignments, runs, system } = useClients();
  const [list, setList] = useState<RunList | null>(null);
  const listed = useLoad((signal) =>
    assignments.listAssignments({ pageSize: 200 }, { signal }),
  );
  const state = useLoad((signal) => system.getSystem({}, { signal }));
  const now = useNow(1000);
  const connection = useFollow({
    open: (signal) => runs.watchRuns({}, { signal }),
    onMessage: (message) => {
      setList((before) => mergeRuns(before ?? [], message.runs));
      // Counts of attempts and of what waits change when runs do.
      listed.reload();
      state.reload();
    },
    ends: false,
  });
  return (
    <>
      <title>Assay</title>
      <ConnectionNotice connection={connection} />
      <section aria-labelledby="assignments" className="first">
        <div className="section-head">
          <h1 id="assignments">Assignments</h1>
          <SystemLine state={state.value} />
        </div>
        {listed.error !== null && (
          <p className="notice bad">{sentence(listed.error)}</p>
        )}
        {listed.value && <AssignmentList list={listed.value.assignments} />}
      </section>
      <section aria-labelledby="runs">
        <div className="section-head">
          <h2 id="runs">Runs</h2>
          <LiveMark connection={connection} />
        </div>
        {list === null ? (
          <p className="muted">
            {connection.state === 'failed' ? '' : 'Loading…'}
          </p>
        ) : list.length === 0 ? (
          <Empty title="No runs yet">
            <p>
              Each push of a candidate makes one. They appear here as they
              happen.
            </p>
          </Empty>
        ) : (
          <RunTable runs={list} now={now} />
        )}
      </section>
    </>
  );
}

function SystemLine({ state }: { state: GetSystemResponse | null }) {
  if (!state) return null;
  const { workers, queuedRuns, runningRuns } = state;
  if (workers.length === 0) {
    return (
      <p className="muted">
        No worker is attached: runs wait. Start one with{' '}
        <code>assay-runner</code>.
      </p>
    );
  }
  const workerText =
    workers.length === 1 ? '1 worker' : `${workers.length} workers`;
  return (
    <p className="muted">
      {workerText}, {runningRuns} running, {queuedRuns} queued
    </p>
  );
}

function AssignmentList({ list }: { list: Assignment[] }) {
  if (list.length === 0) {
    return (
      <Empty title="No assignments yet">
        <p>
          An assignment is a brief, a template and a suite. Start with the
          sample:
        </p>
        <pre>assay assignment create docs/examples/orders-api</pre>
      </Empty>
    );
  }
  return (
    <ul className="cards">
      {list.map((assignment) => (
        <li key={assignment.name}>
          <AssignmentCard assignment={assignment} />
        </li>
      ))}
    </ul>
  );
}

function AssignmentCard({ assignment }: { assignment: Assignment }) {
  return (
    <article className="card">
      <h3>
        <Link href={`/${assignment.name}`}>
          {assignment.spec?.title || idOf(assignment.name)}
        </Link>
      </h3>
      <p className="muted">
        <span className="mono">{idOf(assignment.name)}</span>, version{' '}
        {assignment.version}, {assignment.checkCount} checks,{' '}
        {pointsText(assignment.maxPoints)} points
      </p>
      <dl className="funnel">
        <div>
          <dt>invited</dt>
          <dd>{assignment.invitationCount}</dd>
        </div>
        <div>
          <dt>accepted</dt>
          <dd>{assignment.attemptCount}</dd>
        </div>
        <div>
          <dt>submitted</dt>
          <dd>{assignment.submittedCount}</dd>
        </div>
      </dl>
    </article>
  );
}
