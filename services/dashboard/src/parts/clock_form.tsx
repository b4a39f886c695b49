import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type FormEvent, useState } from 'react';

import { type Attempt, Attempt_State } from '../gen/assay/v1/attempt_pb';
import { sentence, useClients } from '../rpc/client';
import { FormEnd } from './form_end';
import { newRequestId } from './invite_form';
import { NO_OUTCOME, OutcomeNotice } from './outcome_notice';
import { useDraft } from './use_draft';

type Change = 'extend' | 'pause' | 'resume' | 'accommodate';

interface Typed {
  // None chosen: what is likely.
  wanted: Change | '';
  minutes: string;
  factor: string;
  reason: string;
}

interface Props {
  attempt: Attempt;
  onChanged: () => void;
}

// Changes a candidate's clock, always with a reason. Extending opens an attempt
// again that the deadline has closed.
export function ClockForm({ attempt, onChanged }: Props) {
  const { attempts } = useClients();
  const possible = changesOf(attempt);
  const [typed, setTyped, forget] = useDraft<Typed>(`clock ${attempt.name}`, {
    wanted: '',
    minutes: '30',
    factor: String(attempt.clock?.accommodation || 1),
    reason: '',
  });
  const { wanted, minutes, factor, reason } = typed;
  const type = (more: Partial<Typed>) => setTyped({ ...typed, ...more });
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const [requestId, setRequestId] = useState(newRequestId);
  const change = wanted && possible.includes(wanted) ? wanted : possible[0]!;

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setOutcome(NO_OUTCOME);
    const { name } = attempt;
    const common = { name, reason: reason.trim(), requestId };
    try {
      switch (change) {
        case 'extend': {
          const extension = durationFromMs(Number(minutes) * 60_000);
          await attempts.extendAttempt({ ...common, extension });
          break;
        }
        case 'pause':
          await attempts.pauseAttempt(common);
          break;
        case 'resume':
          await attempts.resumeAttempt(common);
          break;
        case 'accommodate':
          await attempts.setAccommodation({
            ...common,
            factor: Number(factor),
          });
          break;
      }
      type({ reason: '' });
      forget();
      setRequestId(newRequestId());
      onChanged();
    } catch (error) {
      setOutcome({ text: sentence(error), good: false });
    }
  };

  return (
    <>
      <form className="inline-form" onSubmit={(event) => void send(event)}>
        <label>
          What to do
          <select
            value={change}
            onChange={(event) => type({ wanted: event.target.value as Change })}
          >
            {possible.map((one) => (
              <option key={one} value={one}>
                {wordOf(one, attempt)}
              </option>
            ))}
          </select>
        </label>
        {change === 'extend' && (
          <label>
            More minutes
            <input
              type="number"
              min="1"
              max="100000"
              required
              value={minutes}
              onChange={(event) => type({ minutes: event.target.value })}
            />
          </label>
        )}
        {change === 'accommodate' && (
          <label>
            Factor on the time allowed
            <input
              type="number"
              min="1"
              max="10"
              step="0.05"
              required
              value={factor}
              onChange={(event) => type({ factor: event.target.value })}
            />
          </label>
        )}
        <FormEnd
          reason={reason}
          onReason={(next) => type({ reason: next })}
          button={buttonOf(change)}
        />
      </form>
      <OutcomeNotice outcome={outcome} />
    </>
  );
}

// What the server would not refuse at once.
function changesOf(attempt: Attempt): Change[] {
  if (attempt.clock?.pauseTime) return ['resume', 'extend', 'accommodate'];
  if (attempt.state === Attempt_State.STARTED) {
    return ['extend', 'pause', 'accommodate'];
  }
  return attempt.state === Attempt_State.SUBMITTED
    ? ['extend', 'accommodate']
    : ['accommodate'];
}

function wordOf(change: Change, attempt: Attempt): string {
  switch (change) {
    case 'extend':
      return attempt.state === Attempt_State.SUBMITTED
        ? 'Give more time and open it again'
        : 'Give more time';
    case 'pause':
      return 'Stop the clock';
    case 'resume':
      return 'Let the clock run again';
    case 'accommodate':
      return 'Set the factor on the time';
  }
}

function buttonOf(change: Change): string {
  switch (change) {
    case 'extend':
      return 'Extend';
    case 'pause':
      return 'Pause';
    case 'resume':
      return 'Resume';
    case 'accommodate':
      return 'Set';
  }
}
