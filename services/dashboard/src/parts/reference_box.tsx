import { useState } from 'react';

import type {
  GetReferenceResponse,
  OpenReferenceResponse,
} from '../gen/assay/v1/assignment_service_pb';
import type { Reference } from '../gen/assay/v1/reference_pb';
import { type Run, Run_State } from '../gen/assay/v1/run_pb';
import { idOf, shortCommit } from '../model/format';
import { writes } from '../model/role';
import { Link } from '../router';
import { sentence, useClients } from '../rpc/client';
import { withUser } from './clone_box';
import { Empty } from './empty';
import { newRequestId } from './invite_form';
import { Answer } from './loading';
import { RunPill, ScoreText } from './run_pill';
import { scrollable } from './scrollable';
import { useSelf } from './self';
import { Time } from './time';
import { useLoad } from './use_load';

interface Props {
  assignment: string;
  now: number;
  // Grows with each change of a run.
  turn: number;
}

// The author's own solution: where it stands, and how it comes here.
export function ReferenceBox({ assignment, now, turn }: Props) {
  const { assignments } = useClients();
  const found = useLoad(
    (signal) => assignments.getReference({ name: assignment }, { signal }),
    turn,
  );
  return (
    <Answer of={found} what="the reference">
      {(value) => (
        <Shown
          assignment={assignment}
          of={value}
          now={now}
          onChanged={found.reload}
        />
      )}
    </Answer>
  );
}

function Shown({
  assignment,
  of: { reference },
  now,
  onChanged,
}: {
  assignment: string;
  of: GetReferenceResponse;
  now: number;
  onChanged: () => void;
}) {
  const { assignments } = useClients();
  const self = useSelf();
  const author = writes(self?.role);
  const [access, setAccess] = useState<OpenReferenceResponse | null>(null);
  const [problem, setProblem] = useState('');
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
      setProblem('');
      onChanged();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  const open = () =>
    attempt(async () =>
      setAccess(await assignments.openReference({ name: assignment })),
    );
  const grade = () =>
    attempt(() =>
      assignments.gradeReference({
        name: assignment,
        requestId: newRequestId(),
      }),
    );
  return (
    <>
      {reference?.push ? (
        <Facts reference={reference} now={now} />
      ) : (
        <Empty title="No reference solution yet">
          <p>
            The author’s own solution, graded by every check and counted
            nowhere: what candidates’ runs are compared with.
          </p>
        </Empty>
      )}
      {author && (
        <>
          <p className="muted">
            {reference?.push ? 'To replace it: ' : 'To push one: '}
            <code>assay assignment reference {idOf(assignment)} FOLDER</code>
          </p>
          <p className="buttons">
            {reference?.push && ended(reference.latestRun) && (
              <button
                type="button"
                className="quiet"
                onClick={() => void grade()}
              >
                Grade it again
              </button>
            )}
            {!access && (
              <button
                type="button"
                className="quiet"
                onClick={() => void open()}
              >
                Push it by git
              </button>
            )}
          </p>
        </>
      )}
      {access && <Access of={access} />}
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

function ended(run: Run | undefined): boolean {
  return run?.state !== Run_State.QUEUED && run?.state !== Run_State.RUNNING;
}

function Facts({ reference, now }: { reference: Reference; now: number }) {
  const { push, run, latestRun } = reference;
  return (
    <dl className="facts">
      <div>
        <dt>Reference</dt>
        <dd>
          {run ? (
            <RunFact run={run} />
          ) : (
            `no run of version ${reference.version} has ended`
          )}
        </dd>
      </div>
      {latestRun && latestRun.name !== run?.name && (
        <div>
          <dt>Newest run</dt>
          <dd>
            <RunFact run={latestRun} />
          </dd>
        </div>
      )}
      <div>
        <dt>Commit</dt>
        <dd className="mono">
          <Link href={`/${reference.attempt}`}>
            {shortCommit(push!.newCommit)}
          </Link>
        </dd>
      </div>
      <div>
        <dt>Pushed</dt>
        <dd>
          <Time at={push!.receiveTime} now={now} />
        </dd>
      </div>
    </dl>
  );
}

function RunFact({ run }: { run: Run }) {
  return (
    <span className="timeline-run">
      <Link href={`/${run.name}`} className="mono">
        {idOf(run.name).slice(0, 10)}
      </Link>
      <RunPill run={run} />
      <ScoreText run={run} />
    </span>
  );
}

function Access({ of }: { of: OpenReferenceResponse }) {
  return (
    <>
      <pre ref={scrollable}>
        git clone {withUser(of.reference!.cloneUrl, of.username)} reference
      </pre>
      <dl className="facts">
        <div>
          <dt>Password, for this repository only</dt>
          <dd className="mono">{of.password}</dd>
        </div>
      </dl>
      <p className="muted">
        Each push to <code>main</code> is graded.
      </p>
    </>
  );
}
