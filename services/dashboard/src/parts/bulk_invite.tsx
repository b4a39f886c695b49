import { type ChangeEvent, useState } from 'react';

import type { CreateInvitationsResponse } from '../gen/assay/v1/invitation_service_pb';
import { cleanText } from '../model/clean_text';
import { csvCell } from '../model/candidates';
import { hasHeader, withHeader } from '../model/invitees';
import { sentence, useClients } from '../rpc/client';
import { csvFile, saveFile } from './save_file';
import { useDraft } from './use_draft';

interface Props {
  assignment: string;
  onInvited: () => void;
}

// Invites many at once: pasted lines or a CSV file, tried first without
// inviting anybody. All lines or none.
export function BulkInvite({ assignment, onInvited }: Props) {
  const { invitations } = useClients();
  const [csv, setCsv] = useDraft(`invite ${assignment}`, '');
  const [answer, setAnswer] = useState<CreateInvitationsResponse | null>(null);
  const [tried, setTried] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);

  const send = async (dryRun: boolean) => {
    setBusy(true);
    setProblem('');
    try {
      const found = await invitations.createInvitations({
        assignment,
        csv: withHeader(csv),
        dryRun,
      });
      setAnswer(found);
      setTried(dryRun && found.problems.length === 0 ? csv : '');
      if (!dryRun && found.problems.length === 0) {
        setCsv('');
        onInvited();
      }
    } catch (error) {
      setProblem(sentence(error));
    } finally {
      setBusy(false);
    }
  };
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) setCsv(await file.text());
    setAnswer(null);
  };
  const ready = tried !== '' && tried === csv;
  return (
    <details className="fold">
      <summary>Invite many</summary>
      <label className="stacked">
        One line for each: name, address and, where one is needed, a factor on
        the time allowed
        <textarea
          rows={6}
          spellCheck={false}
          placeholder={
            'Ada Lovelace,ada@example.org\nGrace Hopper,grace@example.org,1.5'
          }
          value={csv}
          onChange={(event) => {
            setCsv(event.target.value);
            setAnswer(null);
          }}
        />
      </label>
      <div className="table-tools">
        <label>
          or a CSV file{' '}
          <input
            type="file"
            accept=".csv,text/csv,text/plain"
            onChange={(event) => void read(event)}
          />
        </label>
        <span className="spring" />
        <button
          type="button"
          className="quiet"
          disabled={busy || csv.trim() === ''}
          onClick={() => void send(true)}
        >
          Try without inviting
        </button>
        <button
          type="button"
          className="primary"
          disabled={busy || !ready}
          onClick={() => void send(false)}
        >
          Invite all
        </button>
      </div>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
      {answer && (
        <Outcome answer={answer} ready={ready} added={hasHeader(csv) ? 0 : 1} />
      )}
    </details>
  );
}

function Outcome({
  answer,
  ready,
  added,
}: {
  answer: CreateInvitationsResponse;
  ready: boolean;
  // Lines that were put in front of what was pasted.
  added: number;
}) {
  if (answer.problems.length > 0) {
    return (
      <div className="notice bad" role="alert">
        <p>Nobody was invited:</p>
        <ul>
          {answer.problems.map((one, i) => (
            <li key={i}>
              line {one.line - added}: {cleanText(one.message)}
            </li>
          ))}
        </ul>
      </div>
    );
  }
  const links = answer.rows.filter((row) => row.link);
  if (links.length === 0) {
    return ready ? (
      <p className="notice good" role="status">
        {answer.rows.length} lines, and nothing is wrong with them.
      </p>
    ) : null;
  }
  const save = () =>
    saveFile(
      'links.csv',
      csvFile(
        'name,email,link\r\n' +
          links
            .map(({ invitation, link }) =>
              [
                invitation?.candidateName ?? '',
                invitation?.candidateEmail ?? '',
                link,
              ]
                .map(csvCell)
                .join(','),
            )
            .map((line) => `${line}\r\n`)
            .join(''),
      ),
    );
  return (
    <div className="notice good" role="status">
      <p>
        {links.length} people are invited. Their links are shown only now.{' '}
        <button type="button" className="quiet" onClick={save}>
          Save the links
        </button>
      </p>
    </div>
  );
}
