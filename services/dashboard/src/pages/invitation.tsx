import { useState } from 'react';

import { goTo } from '../router';
import { candidateClients, sentence } from '../rpc/client';

// What the link in an invitation leads to: `/invitation#SECRET`. What stands
// after `#` is never sent, so it is in no server's log.
export function InvitationPage() {
  const [secret] = useState(() => location.hash.slice(1));
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const accept = async () => {
    setBusy(true);
    setProblem('');
    try {
      const { invitations, session } = candidateClients;
      const { token } = await invitations.acceptInvitation({ secret });
      // The address held the secret; it must not stay in the history.
      goTo('/attempt', 'replace');
      session.signIn(token);
    } catch (error) {
      setProblem(sentence(error));
      setBusy(false);
    }
  };
  return (
    <div className="letter">
      <title>Invitation · Assay</title>
      <h1>You are invited</h1>
      <p>
        Behind this link is a task for you, with the time allowed and how it is
        graded. Accepting it does not start the clock.
      </p>
      <p>
        Keep the link: it is your key to the task, on this and on any other
        machine. Whoever has it can work in your name.
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      <button
        type="button"
        className="primary"
        disabled={busy || !secret}
        onClick={() => void accept()}
      >
        {busy ? 'Accepting…' : 'Accept and read the task'}
      </button>
      {!secret && (
        <p className="notice bad">
          This address is cut short. Copy the whole link from the invitation.
        </p>
      )}
      <LostLink />
    </div>
  );
}

// Says the same whether or not the address is known.
function LostLink() {
  const [email, setEmail] = useState('');
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState('');
  const request = async () => {
    setProblem('');
    try {
      await candidateClients.invitations.requestLink({ email });
      setAsked(true);
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  if (asked) {
    return (
      <p className="notice" role="status">
        If an invitation was sent to {email}, a link is on its way to it. Older
        links keep working.
      </p>
    );
  }
  return (
    <details>
      <summary>The link does not work, or is lost</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void request();
        }}
      >
        <label>
          The address that you were invited by{' '}
          <input
            type="email"
            autoComplete="email"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </label>{' '}
        <button type="submit" className="quiet">
          Send it again
        </button>
      </form>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </details>
  );
}
