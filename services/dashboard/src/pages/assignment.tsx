import { useState } from 'react';

import type { Assignment } from '../gen/assay/v1/assignment_pb';
import { type Attempt, Attempt_State } from '../gen/assay/v1/attempt_pb';
import { cleanText } from '../model/clean_text';
import {
  idOf,
  pointsText,
  protoDurationText,
  shortCommit,
} from '../model/format';
import { mergeRuns, type RunList } from '../model/run_list';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { Empty } from '../parts/empty';
import { InvitationTable } from '../parts/invitation_table';
import { InviteForm } from '../parts/invite_form';
import { Markdown } from '../parts/markdown';
import { QuestionDesk } from '../parts/question_desk';
import { RunTable } from '../parts/run_table';
import { Time } from '../parts/time';
import { useFollow } from '../parts/use_follow';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { Link } from '../router';
import { sentence, useClients } from '../rpc/client';

export function AssignmentPage({ name }: { name: string }) {
  const { assignments, attempts, invitations, questions, runs } = useClients();
  const [list, setList] = useState<RunList>([]);
  const now = useNow(1000);
  const found = useLoad((signal) =>
    assignments.getAssignment({ name }, { signal }),
  );
  const tries = useLoad((signal) =>
    attempts.listAttempts({ assignment: name, pageSize: 200 }, { signal }),
  );
  const invited = useLoad((signal) =>
    invitations.listInvitations(
      { assignment: name, pageSize: 200 },
      { signal },
    ),
  );
  const asked = useLoad((signal) =>
    questions.listQuestions({ assignment: name, pageSize: 200 }, { signal }),
  );
  const connection = useFollow({
    open: (signal) => runs.watchRuns({ assignment: name }, { signal }),
    onMessage: (message) => {
      setList((before) => mergeRuns(before, message.runs));
      tries.reload();
      invited.reload();
      asked.reload();
    },
    ends: false,
  });
  const assignment = found.value?.assignment;
  const title = assignment?.spec?.title || idOf(name);
  return (
    <>
      <title>{`${title} · Assay`}</title>
      <p className="crumbs">
        <Link href="/">Assignments</Link>
      </p>
      <h1>{title}</h1>
      <ConnectionNotice connection={connection} />
      {found.error !== null && (
        <p className="notice bad">{sentence(found.error)}</p>
      )}
      {assignment && <Facts assignment={assignment} />}
      <section aria-labelledby="attempts">
        <h2 id="attempts">Attempts</h2>
        {tries.error !== null && (
          <p className="notice bad">{sentence(tries.error)}</p>
        )}
        {tries.value && <AttemptTable list={tries.value.attempts} now={now} />}
      </section>
      {invited.value && (
        <section aria-labelledby="invitations">
          <h2 id="invitations">Invitations</h2>
          <InviteForm assignment={name} onInvited={invited.reload} />
          <InvitationTable
            list={invited.value.invitations}
            now={now}
            onChanged={invited.reload}
          />
        </section>
      )}
      {asked.value && (
        <section aria-labelledby="questions">
          <h2 id="questions">Questions</h2>
          <QuestionDesk
            questions={asked.value.questions}
            now={now}
            onChanged={asked.reload}
          />
        </section>
      )}
      {list.length > 0 && (
        <section aria-labelledby="runs">
          <div className="section-head">
            <h2 id="runs">Runs</h2>
            <LiveMark connection={connection} />
          </div>
          <RunTable runs={list} now={now} ofOne />
        </section>
      )}
      {assignment?.spec?.brief && (
        <section aria-labelledby="brief">
          <h2 id="brief">Brief</h2>
          <Markdown text={assignment.spec.brief} level={2} />
        </section>
      )}
    </>
  );
}

function Facts({ assignment }: { assignment: Assignment }) {
  return (
    <dl className="facts">
      <div>
        <dt>Version</dt>
        <dd>{assignment.version}</dd>
      </div>
      <div>
        <dt>Time allowed</dt>
        <dd>{protoDurationText(assignment.spec?.duration)}</dd>
      </div>
      <div>
        <dt>Grace</dt>
        <dd>{protoDurationText(assignment.spec?.grace) || 'none'}</dd>
      </div>
      <div>
        <dt>Suite</dt>
        <dd>
          {assignment.checkCount} checks, {pointsText(assignment.maxPoints)}{' '}
          points
        </dd>
      </div>
      <div>
        <dt>Template</dt>
        <dd className="mono">{shortCommit(assignment.templateCommit)}</dd>
      </div>
    </dl>
  );
}

interface AttemptTableProps {
  list: Attempt[];
  now: number;
}

function AttemptTable({ list, now }: AttemptTableProps) {
  if (list.length === 0) {
    return (
      <Empty title="Nobody has accepted yet">
        <p>Invite somebody below. Accepting does not start their clock.</p>
      </Empty>
    );
  }
  return (
    <div className="table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Candidate</th>
            <th scope="col">State</th>
            <th scope="col">Deadline</th>
            <th scope="col" className="number">
              Pushes
            </th>
            <th scope="col">Latest run</th>
          </tr>
        </thead>
        <tbody>
          {list.map((attempt) => (
            <tr key={attempt.name}>
              <td>
                <Link href={`/${attempt.name}`}>
                  {cleanText(attempt.candidateName) || idOf(attempt.name)}
                </Link>
              </td>
              <td>{stateText(attempt.state)}</td>
              <td>
                <Time at={attempt.clock?.deadline} now={now} />
              </td>
              <td className="number">{attempt.pushCount}</td>
              <td>
                {attempt.latestRun && (
                  <Link href={`/${attempt.latestRun}`} className="mono">
                    {idOf(attempt.latestRun).slice(0, 10)}
                  </Link>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function stateText(state: Attempt_State): string {
  switch (state) {
    case Attempt_State.ACCEPTED:
      return 'accepted';
    case Attempt_State.STARTED:
      return 'clock runs';
    case Attempt_State.SUBMITTED:
      return 'submitted';
    case Attempt_State.UNSPECIFIED:
      return '';
  }
}
