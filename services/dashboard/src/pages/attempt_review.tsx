import { Role } from '../gen/assay/v1/access_pb';
import {
  type Attempt,
  type Push,
  Push_State,
  type TimelineEntry,
} from '../gen/assay/v1/attempt_pb';
import type { Decision } from '../gen/assay/v1/decision_pb';
import type { Question } from '../gen/assay/v1/question_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import {
  type Submission,
  Submission_Cause,
} from '../gen/assay/v1/submission_pb';
import { cleanText } from '../model/clean_text';
import {
  idOf,
  kindText,
  protoDurationText,
  shortCommit,
} from '../model/format';
import { writes } from '../model/role';
import { type Happening, timeline } from '../model/timeline';
import { ClockForm } from '../parts/clock_form';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { Countdown } from '../parts/countdown';
import { DecisionDesk } from '../parts/decision_desk';
import { Empty } from '../parts/empty';
import { Answer } from '../parts/loading';
import { PushScrubber } from '../parts/push_scrubber';
import { QuestionText } from '../parts/question_thread';
import { RunPill, ScoreText } from '../parts/run_pill';
import { useSelf } from '../parts/self';
import { Tabs } from '../parts/tabs';
import { Time } from '../parts/time';
import { useFollow } from '../parts/use_follow';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { goTo, Link, useAddress } from '../router';
import { useClients } from '../rpc/client';
import { everyPage } from '../rpc/pages';

interface Whole {
  attempt?: Attempt;
  pushes: Push[];
  runs: Run[];
  submissions: Submission[];
  questions: Question[];
  decisions: Decision[];
  entries: TimelineEntry[];
}

// One attempt, as author and reviewer see it.
export function AttemptReviewPage({ name }: { name: string }) {
  const { attempts, decisions, questions, runs, submissions } = useClients();
  const { pathname, searchParams } = useAddress();
  const now = useNow(1000);
  const self = useSelf();
  // Authors answer without seeing who asks, so theirs is by assignment.
  const asksShown = self?.role !== Role.AUTHOR;
  const of = { attempt: name, pageSize: 500 };
  const whole = useLoad<Whole>(async (signal) => {
    const [found, pushed, ran, submitted, asked, decided, told] =
      await Promise.all([
        attempts.getAttempt({ name }, { signal }),
        everyPage(
          (pageToken) => attempts.listPushes({ ...of, pageToken }, { signal }),
          (page) => page.pushes,
        ),
        everyPage(
          (pageToken) => runs.listRuns({ ...of, pageToken }, { signal }),
          (page) => page.runs,
        ),
        submissions.listSubmissions({ attempt: name }, { signal }),
        asksShown
          ? everyPage(
              (pageToken) =>
                questions.listQuestions({ ...of, pageToken }, { signal }),
              (page) => page.questions,
            ).catch(() => [])
          : [],
        decisions.listDecisions({ attempt: name }, { signal }),
        attempts.getTimeline({ attempt: name }, { signal }),
      ]);
    return {
      attempt: found.attempt,
      pushes: pushed,
      runs: ran,
      questions: asked,
      ...submitted,
      ...decided,
      ...told,
    };
  });
  const { value, reload } = whole;
  const connection = useFollow({
    open: (signal) => attempts.watchAttempt({ name }, { signal }),
    onMessage: () => reload(),
    ends: false,
  });
  const attempt = value?.attempt;
  const candidates = attempt && !attempt.reference;
  const who = attempt?.reference
    ? 'Reference solution'
    : cleanText(attempt?.candidateName ?? '') || `Attempt ${idOf(name)}`;
  return (
    <>
      <title>{`${who} · Assay`}</title>
      <p className="crumbs">
        <Link href="/">Assignments</Link>
        {attempt && (
          <>
            {' / '}
            <Link href={`/${attempt.assignment}`}>
              {idOf(attempt.assignment)}
            </Link>
          </>
        )}
      </p>
      <div className="section-head">
        <h1>{who}</h1>
        {candidates && <Countdown attempt={attempt} now={now} />}
        <LiveMark connection={connection} />
      </div>
      {/* What failed for good is said once, below. */}
      {whole.error === null && <ConnectionNotice connection={connection} />}
      {attempt && <Facts attempt={attempt} now={now} />}
      <Answer of={whole} what="attempt">
        {(value) => (
          <Tabs
            label="Parts of the attempt"
            tabs={[
              {
                id: 'happened',
                label: 'What happened',
                content: () => (
                  <Happened whole={value} now={now} onChanged={reload} />
                ),
              },
              {
                id: 'code',
                label: 'Code',
                content: () => <Code name={name} whole={value} now={now} />,
              },
            ]}
            current={searchParams.get('tab') ?? 'happened'}
            onChange={(tab) => goTo(`${pathname}?tab=${tab}`, 'replace')}
          />
        )}
      </Answer>
    </>
  );
}

function Happened({
  whole,
  now,
  onChanged,
}: {
  whole: Whole;
  now: number;
  onChanged: () => void;
}) {
  const self = useSelf();
  // Nobody's time runs out in the reference, and nobody is judged by it.
  const attempt = whole.attempt?.reference ? undefined : whole.attempt;
  return (
    <>
      <ol className="timeline">
        {timeline(whole).map((happening, i) => (
          <li key={i} className={happening.kind}>
            <span className="when muted">
              <Time at={happening.time} now={now} />
            </span>
            <Line happening={happening} />
          </li>
        ))}
      </ol>
      {whole.attempt?.cloneUrl && (
        <p className="muted">
          The repository, to read with your own tools:{' '}
          <code>assay attempt clone {idOf(whole.attempt.name)}</code>
        </p>
      )}
      {whole.questions.length > 0 && (
        <section aria-labelledby="questions">
          <h2 id="questions">Questions</h2>
          <ul className="thread">
            {whole.questions.map((question) => (
              <li key={question.name}>
                <QuestionText question={question} now={now} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {attempt && (
        <DecisionDesk
          attempt={attempt}
          decisions={whole.decisions}
          now={now}
          onDecided={onChanged}
        />
      )}
      {attempt && writes(self?.role) && (
        <section aria-labelledby="clock">
          <h2 id="clock">Clock</h2>
          <ClockForm attempt={attempt} onChanged={onChanged} />
        </section>
      )}
    </>
  );
}

// The address names the push, so that it can be sent to others.
function Code({
  name,
  whole,
  now,
}: {
  name: string;
  whole: Whole;
  now: number;
}) {
  const { pathname, searchParams } = useAddress();
  const pushes = whole.pushes.filter(
    (push) => push.state === Push_State.ACCEPTED,
  );
  if (pushes.length === 0) {
    return (
      <Empty title="Nothing pushed so far">
        <p>The code of each push appears here, beside its score.</p>
      </Empty>
    );
  }
  const asked = Number(searchParams.get('push') ?? pushes.length);
  const at = Math.min(pushes.length, Math.max(1, Math.trunc(asked) || 1)) - 1;
  return (
    <PushScrubber
      attempt={name}
      pushes={pushes}
      runs={whole.runs}
      now={now}
      at={at}
      against={searchParams.get('against') === 'before' ? 'before' : 'template'}
      onMove={(to, against) =>
        goTo(
          `${pathname}?tab=code&push=${to + 1}&against=${against}`,
          'replace',
        )
      }
    />
  );
}

function Facts({ attempt, now }: { attempt: Attempt; now: number }) {
  return (
    <dl className="facts">
      <div>
        <dt>Started</dt>
        <dd>
          <Time at={attempt.clock?.startTime} now={now} />
        </dd>
      </div>
      {!attempt.reference && (
        <>
          <div>
            <dt>Deadline</dt>
            <dd>
              <Time at={attempt.clock?.deadline} now={now} />
            </dd>
          </div>
          <div>
            <dt>Time allowed</dt>
            <dd>{allowedText(attempt)}</dd>
          </div>
        </>
      )}
      {attempt.candidateEmail && (
        <div>
          <dt>Address</dt>
          <dd>{cleanText(attempt.candidateEmail)}</dd>
        </div>
      )}
      <div>
        <dt>Attempt</dt>
        <dd className="mono">{idOf(attempt.name)}</dd>
      </div>
    </dl>
  );
}

// What the task allows, and the factor that was agreed on.
function allowedText({ clock }: Attempt): string {
  const allowed = protoDurationText(clock?.duration) || '–';
  const factor = clock?.accommodation ?? 1;
  return factor > 1 ? `${allowed} × ${factor}` : allowed;
}

function Line({ happening }: { happening: Happening }) {
  switch (happening.kind) {
    case 'clock': {
      const { text, actor } = happening.entry;
      return (
        <span>
          {asSentence(text)}
          {actor && actor !== 'candidate' && (
            <span className="muted"> by {cleanText(actor)}</span>
          )}
        </span>
      );
    }
    case 'push': {
      const { push } = happening;
      return (
        <span>
          Push of <span className="mono">{shortCommit(push.newCommit)}</span>{' '}
          {cleanText(push.subject)}
          {push.late && <span className="tag warn">late</span>}
          {push.state === Push_State.REFUSED && (
            <span className="tag warn">refused: {cleanText(push.refusal)}</span>
          )}
        </span>
      );
    }
    case 'submission': {
      const { submission, counts } = happening;
      return (
        <span>
          <span className="mono">
            {shortCommit(submission.commit) || 'Nothing'}
          </span>{' '}
          was handed in{' '}
          {submission.cause === Submission_Cause.DEADLINE
            ? 'by the deadline'
            : 'by the candidate'}
          {counts && <span className="tag">counts</span>}
          {submission.aiStatement && (
            <span className="muted">
              {' '}
              On tools: {cleanText(submission.aiStatement)}
            </span>
          )}
        </span>
      );
    }
    case 'run': {
      const { run } = happening;
      return (
        <span className="timeline-run">
          <Link href={`/${run.name}`}>
            {kindText(run.kind)} run of {shortCommit(run.commit)}
          </Link>
          <RunPill run={run} />
          <ScoreText run={run} />
        </span>
      );
    }
  }
}

function asSentence(text: string): string {
  const clean = cleanText(text);
  return clean.slice(0, 1).toUpperCase() + clean.slice(1);
}
