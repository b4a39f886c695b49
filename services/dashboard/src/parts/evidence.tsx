import { useMemo, useState } from 'react';

import { cleanText } from '../model/clean_text';
import { curlCommand } from '../model/curl';
import {
  type Evidence,
  evidenceOf,
  type Exchange,
  type Statement,
} from '../model/evidence';
import { durationText } from '../model/format';
import type { RunModel } from '../model/run_model';
import { CopyButton } from './copy_button';

interface Props {
  model: RunModel;
  // Grows as the model does.
  version: number;
  // The step's span.
  step: string;
}

// Requests, answers and statements of a step, found when they are asked for.
export function StepEvidence({ model, version, step }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <details
      className="evidence"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>Evidence</summary>
      {open && <Found model={model} version={version} step={step} />}
    </details>
  );
}

function Found({ model, version, step }: Props) {
  const found = useMemo<Evidence>(
    () => evidenceOf(model.spans.values(), step),
    // The spans are kept in place; `version` is what says that they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [model, version, step],
  );
  const { exchanges, moreExchanges, statements, moreStatements } = found;
  if (exchanges.length === 0 && statements.length === 0) {
    return (
      <p className="muted">
        {model.finished
          ? 'Nothing was seen on the wires during this step, or it was beyond what a trace holds.'
          : 'Nothing has come from the worker so far.'}
      </p>
    );
  }
  return (
    <>
      {exchanges.map((exchange, i) => (
        <ExchangeView key={i} exchange={exchange} />
      ))}
      {moreExchanges > 0 && (
        <p className="muted">and {moreExchanges} more requests in the trace</p>
      )}
      <Statements list={statements} more={moreStatements} />
    </>
  );
}

function ExchangeView({ exchange }: { exchange: Exchange }) {
  const { span, request, answer, status } = exchange;
  const took = (span.end - span.start) / 1e6;
  const command = curlCommand(span.whole);
  return (
    <div className="exchange">
      <p>
        <strong className="mono">{cleanText(span.whole.name)}</strong>{' '}
        <span className="muted">
          {status ? `answered ${status}` : 'was not answered'} after{' '}
          {durationText(took)}
        </span>
      </p>
      {span.whole.status?.message && (
        <p className="reason">{cleanText(span.whole.status.message)}</p>
      )}
      <div className="messages-beside">
        <figure>
          <figcaption>Request</figcaption>
          <pre tabIndex={0}>{request || 'no headers of its own, no body'}</pre>
        </figure>
        <figure>
          <figcaption>Answer</figcaption>
          <pre tabIndex={0}>{answer || 'nothing'}</pre>
        </figure>
      </div>
      <Statements list={exchange.statements} more={exchange.moreStatements} />
      {command && <CurlLine command={command} />}
    </div>
  );
}

function Statements({ list, more }: { list: Statement[]; more: number }) {
  if (list.length === 0) return null;
  return (
    <ul className="statements" aria-label="Statements">
      {list.map((one, i) => (
        <li key={i}>
          <code>{one.text}</code>{' '}
          <span className="muted">
            {one.count > 1
              ? `${one.count} times, ${durationText(one.milliseconds)} in all`
              : durationText(one.milliseconds)}
            {one.count === 1 && one.rows && `, rows: ${one.rows}`}
          </span>
        </li>
      ))}
      {more > 0 && (
        <li className="muted">and {more} other statements in the trace</li>
      )}
    </ul>
  );
}

// The command, and what its variables stand for.
export function CurlLine({ command }: { command: string }) {
  const left = [...command.matchAll(/"\$([A-Z0-9_]+)"/g)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'SERVICE' && name !== 'BODY_FILE');
  return (
    <div className="curl-line">
      <p className="span-curl">
        <code>{command}</code>
        <CopyButton text={command} />
      </p>
      <p className="muted">
        SERVICE is where yours runs, such as http://127.0.0.1:8080.
        {left.length > 0 &&
          ` ${left.join(' and ')}: a credential, which is not recorded.`}
        {command.includes('"$BODY_FILE"') &&
          ' BODY_FILE: the body, of which only the beginning is recorded.'}
      </p>
    </div>
  );
}
