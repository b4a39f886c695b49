import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type FormEvent, useState } from 'react';

import { sentence, useClients } from '../rpc/client';
import { newRequestId } from './invite_form';

interface Props {
  attempt: string;
  onExtended: () => void;
}

// Gives a candidate more time, also after the deadline, with a reason.
export function ExtendForm({ attempt, onExtended }: Props) {
  const { attempts } = useClients();
  const [minutes, setMinutes] = useState('30');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const [requestId, setRequestId] = useState(newRequestId);

  const extend = async (event: FormEvent) => {
    event.preventDefault();
    setProblem('');
    try {
      await attempts.extendAttempt({
        name: attempt,
        extension: durationFromMs(Number(minutes) * 60_000),
        reason: reason.trim(),
        requestId,
      });
      setReason('');
      setRequestId(newRequestId());
      onExtended();
    } catch (error) {
      setProblem(sentence(error));
    }
  };

  return (
    <>
      <form className="inline-form" onSubmit={(event) => void extend(event)}>
        <label>
          More minutes
          <input
            type="number"
            min="1"
            max="100000"
            required
            value={minutes}
            onChange={(event) => setMinutes(event.target.value)}
          />
        </label>
        <label className="wide">
          Reason, kept in the audit log
          <input
            required
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <button type="submit" className="primary">
          Extend
        </button>
      </form>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
