import {
  type Attempt,
  Attempt_State,
  type Push,
} from '../gen/assay/v1/attempt_pb';
import type { Decision } from '../gen/assay/v1/decision_pb';
import type { Question } from '../gen/assay/v1/question_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import type { Submission } from '../gen/assay/v1/submission_pb';
import { cleanText } from '../model/clean_text';
import { millis, whenText } from '../model/format';
import { CloneBox } from '../parts/clone_box';
import { ConnectionNotice, LiveMark } from '../parts/connection_notice';
import { Countdown } from '../parts/countdown';
import { Empty } from '../parts/empty';
import { EnvironmentBox } from '../parts/environment_box';
import { FeedbackBox } from '../parts/feedback_box';
import { Loading } from '../parts/loading';
import { Markdown } from '../parts/markdown';
import { PushTable } from '../parts/push_table';
import { QuestionThread } from '../parts/question_thread';
import { Rules, StartBox } from '../parts/start_box';
import { SubmitBox } from '../parts/submit_box';
import { useAttempt } from '../parts/use_attempt';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { isUnauthenticated, sentence, useClients } from '../rpc/client';
import { everyPage } from '../rpc/pages';
import { scrollable } from '../parts/scrollable';

const NAME = 'attempts/me';

interface Lists {
  pushes: Push[];
  runs: Run[];
  submissions: Submission[];
  questions: Question[];
  decisions: Decision[];
}

const NOTHING: Lists = {
  pushes: [],
  runs: [],
  submissions: [],
  questions: [],
  decisions: [],
};

// The candidate's own page: the task, the clock, the repository, the results.
export function AttemptPage() {
  const { attempts, runs, submissions, questions, decisions } = useClients();
  const here = useNow(1000);
  const of = { attempt: NAME };
  const { value, error, reload } = useLoad<Lists>(async (signal) => {
    const [pushed, ran, submitted, asked, decided] = await Promise.all([
      everyPage(
        (pageToken) =>
          attempts.listPushes({ ...of, pageSize: 500, pageToken }, { signal }),
        (page) => page.pushes,
      ),
      everyPage(
        (pageToken) =>
          runs.listRuns({ ...of, pageSize: 500, pageToken }, { signal }),
        (page) => page.runs,
      ),
      submissions.listSubmissions(of, { signal }),
      everyPage(
        (pageToken) =>
          questions.listQuestions(
            { ...of, pageSize: 500, pageToken },
            { signal },
          ),
        (page) => page.questions,
      ),
      decisions.listDecisions(of, { signal }),
    ]);
    return {
      pushes: pushed,
      runs: ran,
      questions: asked,
      ...submitted,
      ...decided,
    };
  });
  const { attempt, offset, connection } = useAttempt(NAME, reload);
  const now = here + offset;
  const lists = value ?? NOTHING;

  if (connection.state === 'failed' && !attempt) {
    return (
      <Empty title="This page opens by your invitation">
        <p>
          {isUnauthenticated(connection.error)
            ? 'Open the link that you got again. If it is lost, ask whoever invited you for a new one.'
            : sentence(connection.error)}
        </p>
      </Empty>
    );
  }
  if (!attempt) return <Loading what="task" />;
  const started = attempt.state !== Attempt_State.ACCEPTED;
  const open = attempt.state !== Attempt_State.SUBMITTED;
  return (
    <>
      <title>{`${attempt.title || 'Your task'} · Assay`}</title>
      <ConnectionNotice connection={connection} />
      {error !== null && connection.state === 'live' && (
        <p className="notice warn">{sentence(error)}</p>
      )}
      <div className="section-head">
        <h1>{cleanText(attempt.title) || 'Your task'}</h1>
        <Countdown attempt={attempt} now={now} />
        <LiveMark connection={connection} />
      </div>
      <Deadline attempt={attempt} />
      <FeedbackBox decisions={lists.decisions} />
      {started ? (
        <>
          <Offer attempt={attempt} />
          <CloneBox attempt={attempt} />
          <section aria-labelledby="pushes">
            <h2 id="pushes">Your pushes</h2>
            {value ? (
              <PushTable
                pushes={lists.pushes}
                runs={lists.runs}
                now={now}
                open={open}
              />
            ) : (
              <Loading what="pushes" />
            )}
          </section>
          <SubmitBox
            attempt={attempt}
            submissions={lists.submissions}
            pushes={lists.pushes}
            now={now}
            onSubmitted={reload}
          />
        </>
      ) : (
        <>
          <StartBox attempt={attempt} />
          <EnvironmentBox attempt={attempt} offset={offset} />
          <Task attempt={attempt} />
        </>
      )}
      <QuestionThread
        attempt={attempt.name}
        questions={lists.questions}
        open={open}
        now={now}
        onAsked={reload}
      />
      {started && <Task attempt={attempt} />}
      {started && (
        <details className="rules">
          <summary>Rules, and what is recorded</summary>
          <Rules attempt={attempt} />
        </details>
      )}
    </>
  );
}

function Task({ attempt }: { attempt: Attempt }) {
  return (
    <>
      <section aria-labelledby="task">
        <h2 id="task">The task</h2>
        <Markdown text={attempt.brief} level={2} />
      </section>
      {attempt.aiPolicy && (
        <section aria-labelledby="ai">
          <h2 id="ai">Tools</h2>
          <p>{cleanText(attempt.aiPolicy)}</p>
        </section>
      )}
    </>
  );
}

// The exact moment, where the candidate is and in UTC.
function Deadline({ attempt }: { attempt: Attempt }) {
  const deadline = millis(attempt.clock?.deadline);
  if (attempt.clock?.pauseTime) {
    return <p className="muted">Your clock stands. No time is used.</p>;
  }
  if (deadline === null) return null;
  return <p className="muted">Deadline: {whenText(deadline)}</p>;
}

function Offer({ attempt }: { attempt: Attempt }) {
  const branch = attempt.templateBranch;
  if (!branch || attempt.state !== Attempt_State.STARTED) return null;
  return (
    <div className="notice">
      <p>
        The author has corrected the template. The fix is on a branch of your
        repository; it is yours to take over:
      </p>
      <pre ref={scrollable}>git pull --no-rebase origin {branch}</pre>
    </div>
  );
}
