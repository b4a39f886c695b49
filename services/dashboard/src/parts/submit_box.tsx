import { useState } from 'react';

import {
  type Attempt,
  Attempt_State,
  type Push,
} from '../gen/assay/v1/attempt_pb';
import {
  type Submission,
  Submission_Cause,
} from '../gen/assay/v1/submission_pb';
import { cleanText } from '../model/clean_text';
import { shortCommit } from '../model/format';
import { sentence, useClients } from '../rpc/client';
import { newRequestId } from './invite_form';
import { ReceiptView } from './receipt_view';
import { Time } from './time';
import { useDraft } from './use_draft';

interface Props {
  attempt: Attempt;
  submissions: readonly Submission[];
  pushes: readonly Push[];
  now: number;
  onSubmitted: () => void;
}

// Handing in, and what was handed in.
export function SubmitBox(props: Props) {
  const { attempt, submissions, pushes, now, onSubmitted } = props;
  const client = useClients().submissions;
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const [statement, setStatement] = useDraft(`statement ${attempt.name}`, '');
  const submit = async () => {
    setBusy(true);
    setProblem('');
    try {
      const requestId = newRequestId();
      await client.createSubmission({
        attempt: attempt.name,
        requestId,
        aiStatement: statement.trim(),
      });
      onSubmitted();
    } catch (error) {
      setProblem(sentence(error));
    } finally {
      setBusy(false);
    }
  };
  const open = attempt.state === Attempt_State.STARTED;
  return (
    <section aria-labelledby="submission">
      <h2 id="submission">Handing in</h2>
      {open && (
        <p className="muted">
          Your last push is handed in by itself when the time is over. You may
          also do it now, as often as you like: the last one counts.
        </p>
      )}
      <ul className="submissions">
        {submissions.map((each, i) => (
          <li key={each.name}>
            <span className="mono">
              {shortCommit(each.commit) || 'nothing'}
            </span>{' '}
            {each.cause === Submission_Cause.DEADLINE
              ? 'by the deadline, '
              : ''}
            <Time at={each.submitTime} now={now} />
            {i === submissions.length - 1 && (
              <span className="tag">counts</span>
            )}{' '}
            <ReceiptView submission={each.name} />
            {each.aiStatement && (
              <p className="muted">On tools: {cleanText(each.aiStatement)}</p>
            )}
          </li>
        ))}
      </ul>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {open && attempt.aiPolicy && (
        <label className="stacked-form">
          Which tools did you use, and for what? The task asks for it.
          <textarea
            rows={2}
            maxLength={10_000}
            value={statement}
            onChange={(event) => setStatement(event.target.value)}
          />
        </label>
      )}
      {open && (
        <p className="buttons">
          <button
            type="button"
            className="primary"
            disabled={busy || pushes.length === 0}
            onClick={() => void submit()}
          >
            Hand in the last push
          </button>
        </p>
      )}
    </section>
  );
}
