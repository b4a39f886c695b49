import { useState } from 'react';

import type { Attempt } from '../gen/assay/v1/attempt_pb';
import type { CreateTrialTokenResponse } from '../gen/assay/v1/attempt_service_pb';
import { skewSentence } from '../model/rules';
import { sentence, useClients } from '../rpc/client';
import { withUser } from './clone_box';
import { scrollable } from './scrollable';

// Tries git before the clock starts, in a repository that is thrown away.
export function EnvironmentBox({
  attempt,
  offset,
}: {
  attempt: Attempt;
  offset: number;
}) {
  const { attempts } = useClients();
  const [trial, setTrial] = useState<CreateTrialTokenResponse | null>(null);
  const [problem, setProblem] = useState('');
  const ask = async () => {
    try {
      setTrial(await attempts.createTrialToken({ name: attempt.name }));
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return (
    <section aria-labelledby="environment">
      <h2 id="environment">Is your machine ready?</h2>
      <p className="muted">
        Starts nothing. With the command line it is{' '}
        <code>assay attempt check</code>; with git alone, try a clone and a push
        here.
      </p>
      <p className={skewSentence(offset) ? 'notice warn' : 'muted'}>
        {skewSentence(offset) ||
          'This machine’s clock agrees with the server’s.'}
      </p>
      {trial ? (
        <>
          <pre ref={scrollable}>{trialCommands(trial)}</pre>
          <dl className="facts">
            <div>
              <dt>Password that git asks for</dt>
              <dd className="mono">{trial.password}</dd>
            </div>
          </dl>
        </>
      ) : (
        <p className="buttons">
          <button type="button" className="quiet" onClick={() => void ask()}>
            Try git
          </button>
        </p>
      )}
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function trialCommands({ cloneUrl, username }: CreateTrialTokenResponse) {
  return [
    'git --version    # 2.18 or newer',
    `git clone ${withUser(cloneUrl, username)} assay-trial`,
    'cd assay-trial && git commit --allow-empty -m trial && git push',
  ].join('\n');
}
