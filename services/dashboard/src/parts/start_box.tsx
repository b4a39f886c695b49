import { useState } from 'react';

import type { Attempt } from '../gen/assay/v1/attempt_pb';
import { ruleSentences, WHAT_IS_RECORDED } from '../model/rules';
import { sentence, useClients } from '../rpc/client';

// The rules, what is recorded, and the start, which asks twice.
export function StartBox({ attempt }: { attempt: Attempt }) {
  const { attempts } = useClients();
  const [problem, setProblem] = useState('');
  const [asking, setAsking] = useState(false);
  const start = async () => {
    try {
      await attempts.startAttempt({ name: attempt.name });
    } catch (error) {
      setAsking(false);
      setProblem(sentence(error));
    }
  };
  return (
    <div className="card start">
      <Rules attempt={attempt} />
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

export function Rules({ attempt }: { attempt: Attempt }) {
  return (
    <>
      <h2>Rules</h2>
      <ul className="plain-list">
        {ruleSentences(attempt.rules, attempt.clock).map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
      <h2>What is recorded</h2>
      <ul className="plain-list">
        {WHAT_IS_RECORDED.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </>
  );
}
