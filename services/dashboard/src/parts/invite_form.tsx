import { type FormEvent, useState } from 'react';

import { hex } from '../model/trace_span';
import { sentence, useClients } from '../rpc/client';
import { CopyButton } from './copy_button';
import { useDraft } from './use_draft';

interface Props {
  assignment: string;
  onInvited: () => void;
}

// Offers the assignment to one person and shows the link, once.
export function InviteForm({ assignment, onInvited }: Props) {
  const { invitations } = useClients();
  const [typed, setTyped, forget] = useDraft(`invite one ${assignment}`, {
    name: '',
    email: '',
  });
  const { name, email } = typed;
  const [sent, setSent] = useState<{ to: string; link: string } | null>(null);
  const [problem, setProblem] = useState('');
  // Kept until it worked, so that a second try after a cut invites nobody twice.
  const [requestId, setRequestId] = useState(newRequestId);

  const invite = async (event: FormEvent) => {
    event.preventDefault();
    setProblem('');
    try {
      const { link } = await invitations.createInvitation({
        assignment,
        candidateName: name.trim(),
        candidateEmail: email.trim(),
        requestId,
      });
      setSent({ to: name.trim(), link });
      setTyped({ name: '', email: '' });
      forget();
      setRequestId(newRequestId());
      onInvited();
    } catch (error) {
      setProblem(sentence(error));
    }
  };

  return (
    <>
      <form className="inline-form" onSubmit={(event) => void invite(event)}>
        <label>
          Name
          <input
            value={name}
            required
            maxLength={200}
            onChange={(event) =>
              setTyped({ ...typed, name: event.target.value })
            }
          />
        </label>
        <label>
          Address
          <input
            type="email"
            value={email}
            required
            maxLength={200}
            onChange={(event) =>
              setTyped({ ...typed, email: event.target.value })
            }
          />
        </label>
        <button type="submit" className="primary">
          Invite
        </button>
      </form>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {sent && (
        <div className="notice good" role="status">
          <p>
            Send this link to {sent.to}. It is shown only now, and whoever has
            it can work in their name.
          </p>
          <p className="link-line">
            <code>{sent.link}</code>
            <CopyButton text={sent.link} />
          </p>
        </div>
      )}
    </>
  );
}

export function newRequestId(): string {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}
