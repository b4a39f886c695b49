import { Code, ConnectError } from '@connectrpc/connect';
import { type FormEvent, useState } from 'react';

import { isUnauthenticated, sentence, staffClients } from '../rpc/client';
import { staff } from '../rpc/session';

export function SignInPage() {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);

  const signIn = async (event: FormEvent) => {
    event.preventDefault();
    const typed = token.trim();
    if (!typed) {
      setProblem('Paste a token first.');
      return;
    }
    setBusy(true);
    setProblem('');
    try {
      const headers = { Authorization: `Bearer ${typed}` };
      await staffClients.system.getSystem({}, { headers });
      staff.signIn(typed);
    } catch (error) {
      setProblem(problemText(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void signIn(event)}>
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>Assay</h1>
        <label htmlFor="token">Your token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          autoFocus
          value={token}
          onChange={(event) => setToken(event.target.value)}
          aria-describedby="token-help token-problem"
          aria-invalid={problem !== ''}
        />
        <p id="token-problem" className="problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
        <p id="token-help" className="muted">
          The first start of assayd writes an admin token to{' '}
          <code>admin.token</code> in its data directory. Candidates need no
          token here: the link in their invitation is theirs.
        </p>
      </form>
    </main>
  );
}

function problemText(error: unknown): string {
  if (isUnauthenticated(error)) {
    return 'This token is not known here, or it was revoked.';
  }
  if (ConnectError.from(error).code === Code.PermissionDenied) {
    return 'This is a candidate’s or a worker’s token; the dashboard is for authors, reviewers and admins.';
  }
  return sentence(error);
}
