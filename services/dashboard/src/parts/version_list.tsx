import { type FormEvent, useState } from 'react';

import type { Assignment } from '../gen/assay/v1/assignment_pb';
import { protoDurationText, shortCommit, suiteText } from '../model/format';
import { sentence, useClients } from '../rpc/client';
import { FormEnd } from './form_end';
import { newRequestId } from './invite_form';
import { Answer } from './loading';
import { NO_OUTCOME, OutcomeNotice } from './outcome_notice';
import { scrollable } from './scrollable';
import { Time } from './time';
import { useDraft } from './use_draft';
import { useLoad } from './use_load';

// How many versions are listed, from the newest.
const LISTED = 20;

// The versions of an assignment, and how running attempts come to another.
export function VersionList({
  assignment,
  now,
}: {
  assignment: Assignment;
  now: number;
}) {
  const { assignments } = useClients();
  const { name, version } = assignment;
  const listed = useLoad(async (signal) => {
    const first = Math.max(1, version - LISTED + 1);
    const all = Array.from({ length: version - first + 1 }, (_, i) =>
      assignments.getAssignment({ name, version: version - i }, { signal }),
    );
    return (await Promise.all(all)).map((found) => found.assignment!);
  }, version);
  return (
    <>
      <Answer of={listed} what="versions">
        {(versions) => (
          <div className="table-scroll" ref={scrollable}>
            <table>
              <thead>
                <tr>
                  <th scope="col" className="number">
                    Version
                  </th>
                  <th scope="col">Made</th>
                  <th scope="col">Time allowed</th>
                  <th scope="col">Suite</th>
                  <th scope="col">Template</th>
                </tr>
              </thead>
              <tbody>
                {versions.map((one) => (
                  <tr key={one.version}>
                    <td className="number">{one.version}</td>
                    <td>
                      <Time at={one.updateTime} now={now} />
                    </td>
                    <td>{protoDurationText(one.spec?.duration)}</td>
                    <td>{suiteText(one)}</td>
                    <td className="mono">{shortCommit(one.templateCommit)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
      {version > 1 && <MoveForm name={name} version={version} />}
    </>
  );
}

function MoveForm({ name, version }: { name: string; version: number }) {
  const { assignments } = useClients();
  const [to, setTo] = useState(String(version));
  const [reason, setReason, forget] = useDraft(`move ${name}`, '');
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const [requestId, setRequestId] = useState(newRequestId);
  const attempt = async (work: () => Promise<string>) => {
    try {
      setOutcome({ text: await work(), good: true });
      setRequestId(newRequestId());
    } catch (error) {
      setOutcome({ text: sentence(error), good: false });
    }
  };
  const move = (event: FormEvent) => {
    event.preventDefault();
    void attempt(async () => {
      const { moves } = await assignments.moveAttempts({
        name,
        version: Number(to),
        reason: reason.trim(),
        requestId,
      });
      forget();
      return moves.length === 0
        ? 'All running attempts were on that version.'
        : `${moves.length} running attempts are on version ${to} now.`;
    });
  };
  const offer = () =>
    void attempt(async () => {
      const { offers } = await assignments.offerTemplate({
        name,
        version: Number(to),
      });
      return offers.length === 0
        ? 'All began with that template: there was nothing to offer.'
        : `${offers.length} running attempts find the template on the branch ${offers[0]!.branch}.`;
    });
  return (
    <>
      <form className="inline-form" onSubmit={move}>
        <label>
          Version
          <input
            type="number"
            min="1"
            max={version}
            required
            value={to}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
        <FormEnd
          reason={reason}
          onReason={setReason}
          button="Move running attempts"
        >
          <button type="button" className="quiet" onClick={offer}>
            Offer its template
          </button>
        </FormEnd>
      </form>
      <OutcomeNotice outcome={outcome} />
    </>
  );
}
