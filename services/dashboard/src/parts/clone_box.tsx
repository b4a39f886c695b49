import { useState } from 'react';

import { type Attempt, Attempt_State } from '../gen/assay/v1/attempt_pb';
import type { CreateGitTokenResponse } from '../gen/assay/v1/attempt_service_pb';
import { sentence, useClients } from '../rpc/client';
import { scrollable } from './scrollable';

// `http://user@host/path`: git then asks for the password only.
export function withUser(address: string, user: string): string {
  return address.replace('://', `://${user}@`);
}

// How to get the repository with nothing but git.
export function CloneBox({ attempt }: { attempt: Attempt }) {
  const { attempts } = useClients();
  const [access, setAccess] = useState<CreateGitTokenResponse | null>(null);
  const [problem, setProblem] = useState('');
  if (attempt.state === Attempt_State.SUBMITTED) return null;
  const ask = async () => {
    try {
      setAccess(await attempts.createGitToken({ name: attempt.name }));
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return (
    <section aria-labelledby="repository">
      <h2 id="repository">Your repository</h2>
      <pre ref={scrollable}>
        git clone {withUser(attempt.cloneUrl, 'candidate')} work
      </pre>
      <p className="muted">
        Git asks for a password once. To have it remembered for this repository:{' '}
        <code>git config credential.helper store</code>. With the command line,{' '}
        <code>assay attempt clone</code> does all of it.
      </p>
      {access ? (
        <dl className="facts">
          <div>
            <dt>Password, for this repository only</dt>
            <dd className="mono">{access.password}</dd>
          </div>
        </dl>
      ) : (
        <p className="buttons">
          <button type="button" className="primary" onClick={() => void ask()}>
            Show a password for git
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
