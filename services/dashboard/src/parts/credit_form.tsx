import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type FormEvent, useState } from 'react';

import { protoDurationText } from '../model/format';
import { sentence, useClients } from '../rpc/client';
import { FormEnd } from './form_end';
import { newRequestId } from './invite_form';
import { NO_OUTCOME, OutcomeNotice } from './outcome_notice';
import { useDraft } from './use_draft';

interface Props {
  assignment: string;
  onChanged: () => void;
}

// Gives every attempt back what an outage took from it.
export function CreditForm({ assignment, onChanged }: Props) {
  const { attempts } = useClients();
  const [typed, setTyped, forget] = useDraft(`credit ${assignment}`, {
    from: '',
    to: '',
    reason: '',
  });
  const { from, to, reason } = typed;
  const type = (more: Partial<typeof typed>) => setTyped({ ...typed, ...more });
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const [requestId, setRequestId] = useState(newRequestId);
  const credit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const { credits } = await attempts.creditOutage({
        assignment,
        // What the fields hold is in the viewer's zone.
        startTime: timestampFromMs(new Date(from).getTime()),
        endTime: timestampFromMs(new Date(to).getTime()),
        reason: reason.trim(),
        requestId,
      });
      setOutcome({
        text:
          credits.length === 0
            ? 'No clock ran in that time.'
            : `${credits.length} attempts got up to ${protoDurationText(longest(credits))} back.`,
        good: true,
      });
      setRequestId(newRequestId());
      forget();
      onChanged();
    } catch (error) {
      setOutcome({ text: sentence(error), good: false });
    }
  };
  return (
    <details className="fold">
      <summary>Give back the time of an outage</summary>
      <form className="inline-form" onSubmit={(event) => void credit(event)}>
        <label>
          From, your time
          <input
            type="datetime-local"
            step="1"
            required
            value={from}
            onChange={(event) => type({ from: event.target.value })}
          />
        </label>
        <label>
          To
          <input
            type="datetime-local"
            step="1"
            required
            value={to}
            onChange={(event) => type({ to: event.target.value })}
          />
        </label>
        <FormEnd
          reason={reason}
          onReason={(next) => type({ reason: next })}
          label="Reason for everybody, kept in the audit log"
          button="Give back"
        />
      </form>
      <OutcomeNotice outcome={outcome} />
    </details>
  );
}

function longest<T extends { extension?: { seconds: bigint; nanos: number } }>(
  credits: T[],
) {
  const seconds = (one: T) => Number(one.extension?.seconds ?? 0n);
  return credits.reduce((a, b) => (seconds(b) > seconds(a) ? b : a))
    .extension as Parameters<typeof protoDurationText>[0] | undefined;
}
