import { useEffect, useState } from 'react';

import { Role } from '../gen/assay/v1/access_pb';
import type { Assignment } from '../gen/assay/v1/assignment_pb';
import {
  idOf,
  protoDurationText,
  shortCommit,
  suiteText,
} from '../model/format';
import { sees, writes } from '../model/role';
import { mergeRuns, type RunList } from '../model/run_list';
import { BulkInvite } from '../parts/bulk_invite';
import { CandidateTable } from '../parts/candidate_table';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { CreditForm } from '../parts/credit_form';
import { Empty } from '../parts/empty';
import { InvitationTable } from '../parts/invitation_table';
import { InviteForm } from '../parts/invite_form';
import { Answer, Loading } from '../parts/loading';
import { Markdown } from '../parts/markdown';
import { QuestionDesk } from '../parts/question_desk';
import { ReferenceBox } from '../parts/reference_box';
import { RunTable } from '../parts/run_table';
import { useSelf } from '../parts/self';
import { StatisticsView } from '../parts/statistics_view';
import { type Tab, Tabs } from '../parts/tabs';
import { useCandidates } from '../parts/use_candidates';
import { useFollow } from '../parts/use_follow';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { useSoon } from '../parts/use_soon';
import { VerifyTable } from '../parts/verify_table';
import { VersionList } from '../parts/version_list';
import { goTo, Link, useAddress } from '../router';
import { useClients } from '../rpc/client';
import type { Connection } from '../rpc/follow';
import { everyPage } from '../rpc/pages';

export function AssignmentPage({ name }: { name: string }) {
  const { assignments } = useClients();
  const self = useSelf();
  const { pathname, searchParams } = useAddress();
  const now = useNow(1000);
  // Grows with each change that the stream tells of: what the tabs show is
  // read again.
  const [turn, setTurn] = useState(0);
  const found = useLoad(
    (signal) => assignments.getAssignment({ name }, { signal }),
    turn,
  );
  const [list, setList] = useState<RunList | null>(null);
  const [connection, setConnection] = useState<Connection | null>(null);
  const changed = () => setTurn((before) => before + 1);
  const assignment = found.value?.assignment;
  const title = assignment?.spec?.title || idOf(name);
  const of = { name, now, turn, changed };
  const tabs: (Tab | false)[] = [
    sees(self?.role) && {
      id: 'candidates',
      label: 'Candidates',
      content: () => <Candidates {...of} />,
    },
    writes(self?.role) && {
      id: 'questions',
      label: 'Questions',
      content: () => <Questions {...of} />,
    },
    {
      id: 'statistics',
      label: 'Statistics',
      content: () => <Statistics {...of} />,
    },
    sees(self?.role) && {
      id: 'runs',
      label: 'Runs',
      content: () => <Runs list={list} now={now} />,
    },
    !!assignment && {
      id: 'task',
      label: 'Task and versions',
      content: () => <Task assignment={assignment} now={now} turn={turn} />,
    },
  ];
  const shown = tabs.filter((tab) => tab !== false);
  return (
    <>
      <title>{`${title} · Assay`}</title>
      <p className="crumbs">
        <Link href="/">Assignments</Link>
      </p>
      <div className="section-head">
        <h1>{title}</h1>
        {writes(self?.role) && assignment && (
          <Link href={`/${name}/edit`} className="button">
            Edit
          </Link>
        )}
        {connection && <LiveMark connection={connection} />}
      </div>
      {connection && <ConnectionNotice connection={connection} />}
      <Answer of={found} what="assignment">
        {(value) => value.assignment && <Facts assignment={value.assignment} />}
      </Answer>
      {sees(self?.role) && assignment && (
        <Follow
          name={name}
          onRuns={setList}
          onChanged={changed}
          onConnection={setConnection}
        />
      )}
      {self && assignment && (
        <Tabs
          label="Parts of the assignment"
          tabs={shown}
          current={searchParams.get('tab') ?? shown[0]!.id}
          onChange={(tab) => goTo(`${pathname}?tab=${tab}`, 'replace')}
        />
      )}
    </>
  );
}

interface Part {
  name: string;
  now: number;
  turn: number;
  changed: () => void;
}

// The page's one stream: runs change whenever anything does that shows here.
function Follow({
  name,
  onRuns,
  onChanged,
  onConnection,
}: {
  name: string;
  onRuns: (change: (before: RunList | null) => RunList) => void;
  onChanged: () => void;
  onConnection: (connection: Connection) => void;
}) {
  const { runs } = useClients();
  const soon = useSoon(onChanged);
  const connection = useFollow({
    open: (signal) => runs.watchRuns({ assignment: name }, { signal }),
    onMessage: (message) => {
      onRuns((before) => mergeRuns(before ?? [], message.runs));
      soon();
    },
    ends: false,
  });
  useEffect(() => onConnection(connection), [connection, onConnection]);
  return null;
}

function Candidates({ name, now, turn }: Part) {
  const self = useSelf();
  const candidates = useCandidates(name, turn);
  const { partial, reload } = candidates;
  return (
    <>
      <Answer of={candidates} what="candidates">
        {(list) =>
          list.length === 0 ? (
            <Empty title="Nobody is invited yet">
              <p>
                Invite somebody below. Accepting does not start their clock.
              </p>
            </Empty>
          ) : (
            <CandidateTable
              assignment={name}
              list={list}
              partial={partial}
              now={now}
            />
          )
        }
      </Answer>
      {writes(self?.role) && (
        <Invitations name={name} now={now} turn={turn} changed={reload} />
      )}
      {self?.role === Role.ADMIN && (
        <CreditForm assignment={name} onChanged={reload} />
      )}
    </>
  );
}

function Invitations({ name, now, turn, changed }: Part) {
  const { invitations } = useClients();
  // The newest alone, until all are asked for.
  const [all, setAll] = useState(false);
  const invited = useLoad(async (signal) => {
    const ask = (pageSize: number, pageToken = '') =>
      invitations.listInvitations(
        { assignment: name, pageSize, pageToken },
        { signal },
      );
    if (!all) {
      const newest = await ask(50);
      return { list: newest.invitations, more: newest.nextPageToken !== '' };
    }
    const list = await everyPage(
      (pageToken) => ask(500, pageToken),
      (page) => page.invitations,
    );
    return { list, more: false };
  }, `${turn} ${all}`);
  const onInvited = () => {
    changed();
    invited.reload();
  };
  return (
    <section aria-labelledby="invitations">
      <h2 id="invitations">Invitations</h2>
      <InviteForm assignment={name} onInvited={onInvited} />
      <BulkInvite assignment={name} onInvited={onInvited} />
      <Answer of={invited} what="invitations">
        {(value) => (
          <InvitationTable
            list={value.list}
            more={value.more}
            now={now}
            onAll={() => setAll(true)}
            onChanged={onInvited}
          />
        )}
      </Answer>
    </section>
  );
}

function Questions({ name, now, turn, changed }: Part) {
  const { questions } = useClients();
  const asked = useLoad(
    (signal) =>
      everyPage(
        (pageToken) =>
          questions.listQuestions(
            { assignment: name, pageSize: 500, pageToken },
            { signal },
          ),
        (page) => page.questions,
      ),
    turn,
  );
  return (
    <Answer of={asked} what="questions">
      {(value) => (
        <QuestionDesk questions={value} now={now} onChanged={changed} />
      )}
    </Answer>
  );
}

function Statistics({ name, turn }: Part) {
  const { overview } = useClients();
  const found = useLoad(
    (signal) => overview.getStatistics({ assignment: name }, { signal }),
    turn,
  );
  return (
    <Answer of={found} what="statistics">
      {(value) => <StatisticsView of={value} />}
    </Answer>
  );
}

function Runs({ list, now }: { list: RunList | null; now: number }) {
  if (list === null) return <Loading what="runs" />;
  if (list.length === 0) {
    return (
      <Empty title="No runs yet">
        <p>Each push of a candidate makes one.</p>
      </Empty>
    );
  }
  return <RunTable runs={list} now={now} ofOne />;
}

function Task({
  assignment,
  now,
  turn,
}: {
  assignment: Assignment;
  now: number;
  turn: number;
}) {
  const self = useSelf();
  return (
    <>
      <h2>Versions</h2>
      {writes(self?.role) ? (
        <VersionList assignment={assignment} now={now} />
      ) : (
        <p>Version {assignment.version} is the current one.</p>
      )}
      {sees(self?.role) && (
        <section aria-labelledby="reference">
          <h2 id="reference">Reference solution</h2>
          <ReferenceBox assignment={assignment.name} now={now} turn={turn} />
        </section>
      )}
      {writes(self?.role) && (
        <section aria-labelledby="verification">
          <h2 id="verification">What the suite was held against</h2>
          <VerifyTable assignment={assignment} />
        </section>
      )}
      {assignment.spec?.brief && (
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
        <dd>
          {assignment.spec?.grace?.seconds
            ? protoDurationText(assignment.spec.grace)
            : 'none'}
        </dd>
      </div>
      <div>
        <dt>Suite</dt>
        <dd>{suiteText(assignment)}</dd>
      </div>
      <div>
        <dt>Template</dt>
        <dd className="mono">{shortCommit(assignment.templateCommit)}</dd>
      </div>
    </dl>
  );
}
