import { Code, ConnectError } from '@connectrpc/connect';
import { type FormEvent, useState } from 'react';

import { isUnauthenticated, sentence, staffClients } from '../rpc/client';
import { staff } from '../rpc/session';

type Way = 'password' | 'token';

export function SignInPage() {
  const [way, setWay] = useState<Way>('password');
  return (
    <main className="sign-in">
      <title>Sign in · Assay</title>
      <div className="card">
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>Assay</h1>
        {way === 'password' ? <PasswordForm /> : <TokenForm />}
        <button
          type="button"
          className="quiet"
          onClick={() => setWay(way === 'password' ? 'token' : 'password')}
        >
          {way === 'password'
            ? 'Sign in with a token'
            : 'Sign in with a password'}
        </button>
        <p className="muted">
          Candidates need no account: the link in their invitation is theirs.
        </p>
      </div>
    </main>
  );
}

// What both forms have in common: one try at a time, and what came of it.
function useTry(attempt: () => Promise<string>) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    setProblem(await attempt());
    setBusy(false);
  };
  return { problem, busy, submit };
}

function PasswordForm() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const { problem, busy, submit } = useTry(async () => {
    try {
      const { account } = await staffClients.accounts.signIn({
        accountId: name.trim(),
        password,
      });
      staff.signInAs(account?.name ?? '');
      return '';
    } catch (error) {
      setPassword('');
      return isUnauthenticated(error)
        ? 'The name or the password is wrong.'
        : sentence(error);
    }
  });
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label htmlFor="name">Name</label>
      <input
        id="name"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <label htmlFor="password">Password</label>
      <input
        id="password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        aria-describedby="sign-in-problem"
        aria-invalid={problem !== ''}
      />
      <p id="sign-in-problem" className="problem" role="alert">
        {problem}
      </p>
      <button type="submit" className="primary" disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
      <p className="muted">
        An admin makes accounts with <code>assay admin user add</code>.
      </p>
    </form>
  );
}

function TokenForm() {
  const [token, setToken] = useState('');
  const { problem, busy, submit } = useTry(async () => {
    const typed = token.trim();
    if (!typed) return 'Paste a token first.';
    try {
      const headers = { Authorization: `Bearer ${typed}` };
      await staffClients.system.getSystem({}, { headers });
      staff.signIn(typed);
      return '';
    } catch (error) {
      return tokenProblem(error);
    }
  });
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label htmlFor="token">Your token</label>
      <input
        id="token"
        type="password"
        autoComplete="off"
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
        <code>admin.token</code> in its data directory.
      </p>
    </form>
  );
}

function tokenProblem(error: unknown): string {
  if (isUnauthenticated(error)) {
    return 'This token is not known here, or it was revoked.';
  }
  if (ConnectError.from(error).code === Code.PermissionDenied) {
    return 'This is a candidate’s or a worker’s token; the dashboard is for authors, reviewers, observers and admins.';
  }
  return sentence(error);
}
