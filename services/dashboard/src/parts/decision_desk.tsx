import { type FormEvent, useState } from 'react';

import { type Attempt, Attempt_State } from '../gen/assay/v1/attempt_pb';
import { type Decision, Decision_Outcome } from '../gen/assay/v1/decision_pb';
import { decisionText } from '../model/candidates';
import { cleanText } from '../model/clean_text';
import { writes } from '../model/role';
import { sentence, useClients } from '../rpc/client';
import { newRequestId } from './invite_form';
import { useSelf } from './self';
import { Time } from './time';
import { useDraft } from './use_draft';

interface Props {
  attempt: Attempt;
  decisions: readonly Decision[];
  now: number;
  onDecided: () => void;
}

// What was decided about an attempt, each with its reason, and the next one.
export function DecisionDesk({ attempt, decisions, now, onDecided }: Props) {
  const self = useSelf();
  const submitted = attempt.state === Attempt_State.SUBMITTED;
  if (!submitted && decisions.length === 0) return null;
  return (
    <section aria-labelledby="decision">
      <h2 id="decision">Decision</h2>
      {decisions.length > 0 && (
        <ol className="timeline">
          {decisions.map((one) => (
            <li key={one.number}>
              <span className="when muted">
                <Time at={one.decideTime} now={now} />
              </span>
              <span>
                <strong>{decisionText(one.outcome)}</strong>
                {one.decider && ` by ${cleanText(one.decider)}`}:{' '}
                {cleanText(one.reason)}
                {one.feedbackReleased && (
                  <span className="tag">feedback released</span>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
      {submitted && writes(self?.role) && (
        <DecisionForm
          key={decisions.length}
          attempt={attempt.name}
          after={decisions.length}
          onDecided={onDecided}
        />
      )}
    </section>
  );
}

function DecisionForm({
  attempt,
  after,
  onDecided,
}: {
  attempt: string;
  // Decisions so far.
  after: number;
  onDecided: () => void;
}) {
  const { decisions } = useClients();
  const [draft, setDraft, forget] = useDraft(`decision ${attempt}`, {
    outcome: Decision_Outcome.HOLD,
    reason: '',
    feedback: '',
    release: false,
  });
  const [problem, setProblem] = useState('');
  const [requestId] = useState(newRequestId);
  const change = (more: Partial<typeof draft>) =>
    setDraft({ ...draft, ...more });
  const decide = async (event: FormEvent) => {
    event.preventDefault();
    setProblem('');
    try {
      await decisions.createDecision({
        attempt,
        outcome: draft.outcome,
        reason: draft.reason.trim(),
        feedback: draft.feedback,
        releaseFeedback: draft.release,
        expectedNumber: after,
        requestId,
      });
      forget();
      onDecided();
    } catch (error) {
      setProblem(sentence(error));
      // Somebody else may have decided meanwhile: what is shown is read again,
      // and what was written stays.
      onDecided();
    }
  };
  return (
    <form className="stack" onSubmit={(event) => void decide(event)}>
      <div className="inline-form">
        <label>
          Outcome
          <select
            value={draft.outcome}
            onChange={(event) =>
              change({ outcome: Number(event.target.value) })
            }
          >
            <option value={Decision_Outcome.ADVANCE}>advance</option>
            <option value={Decision_Outcome.REJECT}>reject</option>
            <option value={Decision_Outcome.HOLD}>hold</option>
          </select>
        </label>
        <label className="wide">
          Why, for the record; the candidate never sees it
          <input
            required
            value={draft.reason}
            onChange={(event) => change({ reason: event.target.value })}
          />
        </label>
      </div>
      <label className="stacked">
        Feedback to the candidate
        <textarea
          rows={4}
          value={draft.feedback}
          onChange={(event) => change({ feedback: event.target.value })}
        />
      </label>
      <div className="table-tools">
        <label>
          <input
            type="checkbox"
            checked={draft.release}
            onChange={(event) => change({ release: event.target.checked })}
          />{' '}
          Show it to them now
        </label>
        <span className="spring" />
        <button type="submit" className="primary">
          Decide
        </button>
      </div>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
