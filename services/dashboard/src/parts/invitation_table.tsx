import { useState } from 'react';

import {
  type Invitation,
  Invitation_State,
} from '../gen/assay/v1/invitation_pb';
import { cleanText } from '../model/clean_text';
import { sentence, useClients } from '../rpc/client';
import { scrollable } from './scrollable';
import { SureButton } from './sure_button';
import { Time } from './time';

interface Props {
  list: readonly Invitation[];
  // There are older ones.
  more: boolean;
  now: number;
  onAll: () => void;
  onChanged: () => void;
}

// The newest invitations first. A link that was lost is made anew, also of one that was
// accepted: it then opens the attempt.
export function InvitationTable({ list, more, now, onAll, onChanged }: Props) {
  const { invitations } = useClients();
  const [problem, setProblem] = useState('');
  const [fresh, setFresh] = useState('');
  if (list.length === 0) return null;
  const resend = async (name: string) => {
    setProblem('');
    try {
      const { link } = await invitations.resendInvitation({ name });
      setFresh(link);
      onChanged();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  const revoke = async (name: string) => {
    setProblem('');
    try {
      await invitations.revokeInvitation({ name });
      onChanged();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return (
    <>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {fresh && (
        <div className="notice good" role="status">
          <p>The link that was sent before no longer works. The new one:</p>
          <p className="link-line">
            <code>{fresh}</code>
          </p>
        </div>
      )}
      <div className="table-scroll" ref={scrollable}>
        <table>
          <thead>
            <tr>
              <th scope="col">Invited</th>
              <th scope="col">Address</th>
              <th scope="col">State</th>
              <th scope="col">Sent</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map((invitation) => (
              <tr key={invitation.name}>
                <td>{cleanText(invitation.candidateName)}</td>
                <td>{cleanText(invitation.candidateEmail)}</td>
                <td>{stateText(invitation.state)}</td>
                <td>
                  <Time at={invitation.createTime} now={now} />
                </td>
                <td>
                  <Time at={invitation.expireTime} now={now} />
                </td>
                <td className="number">
                  {invitation.state !== Invitation_State.REVOKED && (
                    <SureButton
                      text="New link"
                      question="The old one stops working."
                      yes="Make a new link"
                      onSure={() => void resend(invitation.name)}
                    />
                  )}
                  {invitation.state === Invitation_State.PENDING && (
                    <SureButton
                      text="Take back"
                      question="Its link opens nothing from then on."
                      yes="Yes, take it back"
                      onSure={() => void revoke(invitation.name)}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more && (
        <button type="button" className="link" onClick={onAll}>
          Show all
        </button>
      )}
    </>
  );
}

function stateText(state: Invitation_State): string {
  switch (state) {
    case Invitation_State.PENDING:
      return 'waiting';
    case Invitation_State.ACCEPTED:
      return 'accepted';
    case Invitation_State.EXPIRED:
      return 'expired';
    case Invitation_State.REVOKED:
      return 'taken back';
    case Invitation_State.UNSPECIFIED:
      return '';
  }
}
