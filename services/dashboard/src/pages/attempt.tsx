import { useEffect, useEffectEvent, useState } from 'react';

import {
  type Attempt,
  Attempt_State,
  type Push,
} from '../gen/assay/v1/attempt_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import type { Submission } from '../gen/assay/v1/submission_pb';
import { cleanText } from '../model/clean_text';
import { protoDurationText } from '../model/format';
import { CloneBox } from '../parts/clone_box';
import { Countdown } from '../parts/countdown';
import { Empty } from '../parts/empty';
import { Markdown } from '../parts/markdown';
import { PushTable } from '../parts/push_table';
import { SubmitBox } from '../parts/submit_box';
import { useLoad } from '../parts/use_load';
import { useNow } from '../parts/use_now';
import { isUnauthenticated, sentence, useClients } from '../rpc/client';

const NAME = 'attempts/me';
// A push makes no noise here, so its arrival is looked for.
const LOOK_AGAIN = 4000;

interface State {
  attempt?: Attempt;
  pushes: Push[];
  runs: Run[];
  submissions: Submission[];
}

// The candidate's own page: the task, the clock, the repository, the results.
export function AttemptPage() {
  const { attempts, runs, submissions } = useClients();
  const now = useNow(1000);
  const { value, error, reload } = useLoad<State>(async (signal) => {
    const { attempt } = await attempts.getAttempt({ name: NAME }, { signal });
    const of = { attempt: attempt?.name ?? NAME };
    const started = attempt?.state !== Attempt_State.ACCEPTED;
    if (!started) return { attempt, pushes: [], runs: [], submissions: [] };
    const [pushed, ran, submitted] = await Promise.all([
      attempts.listPushes(of, { signal }),
      runs.listRuns({ ...of, pageSize: 100 }, { signal }),
      submissions.listSubmissions(of, { signal }),
    ]);
    return { attempt, ...pushed, ...ran, ...submitted };
  });
  const look = useEffectEvent(() => {
    if (document.visibilityState === 'visible') reload();
  });
  useEffect(() => {
    const timer = setInterval(() => look(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, []);

  if (error !== null && (!value || isUnauthenticated(error))) {
    return (
      <Empty title="This page opens by your invitation">
        <p>
          {isUnauthenticated(error)
            ? 'Open the link that you got again.'
            : sentence(error)}
        </p>
      </Empty>
    );
  }
  const attempt = value?.attempt;
  if (!attempt) return <p className="muted">Loading…</p>;
  return (
    <>
      <title>{`${attempt.title || 'Your task'} · Assay`}</title>
      {error !== null && <p className="notice warn">{sentence(error)}</p>}
      <div className="section-head">
        <h1>{cleanText(attempt.title) || 'Your task'}</h1>
        <Countdown attempt={attempt} now={now} />
      </div>
      {attempt.state === Attempt_State.ACCEPTED ? (
        <StartBox attempt={attempt} onStarted={reload} />
      ) : (
        <>
          <CloneBox attempt={attempt} />
          <section aria-labelledby="pushes">
            <h2 id="pushes">Your pushes</h2>
            <PushTable pushes={value.pushes} runs={value.runs} now={now} />
          </section>
          <SubmitBox
            attempt={attempt}
            submissions={value.submissions}
            pushes={value.pushes}
            now={now}
            onSubmitted={reload}
          />
        </>
      )}
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

function StartBox({
  attempt,
  onStarted,
}: {
  attempt: Attempt;
  onStarted: () => void;
}) {
  const { attempts } = useClients();
  const [problem, setProblem] = useState('');
  const [asking, setAsking] = useState(false);
  const allowed = protoDurationText(attempt.clock?.duration);
  const start = async () => {
    try {
      await attempts.startAttempt({ name: attempt.name });
      onStarted();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return (
    <div className="card start">
      <p>
        You have <b>{allowed}</b> from the moment you start. The clock does not
        stop in between, and your last push is handed in when it ends.
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {asking ? (
        <p className="buttons">
          <button
            type="button"
            className="primary"
            onClick={() => void start()}
          >
            Yes, start the clock
          </button>
          <button
            type="button"
            className="quiet"
            onClick={() => setAsking(false)}
          >
            Not yet
          </button>
        </p>
      ) : (
        <p className="buttons">
          <button
            type="button"
            className="primary"
            onClick={() => setAsking(true)}
          >
            Start
          </button>
        </p>
      )}
    </div>
  );
}
