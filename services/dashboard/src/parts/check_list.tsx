import type { ReactNode } from 'react';

import {
  type CheckResult,
  type CheckResult_Case,
  Verdict,
} from '../gen/assay/v1/check_pb';
import { cleanText } from '../model/clean_text';
import { pointsText, protoDurationText, verdictText } from '../model/format';
import { whyNothing } from '../model/nothing';
import type { PendingCheck, RunModel } from '../model/run_model';
import { Link } from '../router';
import { candidateClients, useClients } from '../rpc/client';
import { Empty } from './empty';
import { StepEvidence } from './evidence';
import { spanAddress } from './span_address';

interface Props {
  model: RunModel;
  version: number;
  // Whether the reader gets to see what was on the wires.
  evidence: boolean;
}

export function CheckList({ model, version, evidence }: Props) {
  const { checks, pending } = model;
  if (checks.size === 0 && !pending) {
    return (
      <Empty title={model.finished ? 'No checks ran' : 'No checks so far'}>
        <p>
          {whyNothing(model.run) ||
            (model.finished && 'The run ended before the first one.')}
        </p>
        {!model.finished && (
          <p>They begin when the service is built, started and ready.</p>
        )}
      </Empty>
    );
  }
  return (
    <ul className="checks">
      {[...checks.values()].map((check) => (
        <li key={check.checkId}>
          <CheckRow
            check={check}
            run={model.run?.name ?? ''}
            evidenceOf={(step) =>
              evidence && (
                <StepEvidence model={model} version={version} step={step} />
              )
            }
          />
        </li>
      ))}
      {pending && (
        <li>
          <PendingRow check={pending} />
        </li>
      )}
    </ul>
  );
}

function CheckRow({
  check,
  run,
  evidenceOf,
}: {
  check: CheckResult;
  run: string;
  evidenceOf: (step: string) => ReactNode;
}) {
  const forCandidate = useClients() === candidateClients;
  const failed = check.verdict !== Verdict.PASSED;
  return (
    <details className="check" open={failed}>
      <summary>
        <VerdictMark verdict={check.verdict} />
        <span className="check-title">
          {cleanText(check.title)}
          {check.hidden && <span className="tag">hidden</span>}
          {check.bonus && <span className="tag">bonus</span>}
        </span>
        <span className="mono muted">{check.checkId}</span>
        <span className="number muted">
          {protoDurationText(check.duration)}
        </span>
        <span className="number">
          {pointsText(check.earned)} / {pointsText(check.points)}
        </span>
      </summary>
      {check.reason && <p className="reason">{cleanText(check.reason)}</p>}
      {check.serviceDeaths > 0 && (
        <p className="reason">
          The service exited {timesText(check.serviceDeaths)} during this check.
        </p>
      )}
      <Cases cases={check.cases} />
      <ol className="parts">
        {check.steps.map((step, i) => (
          <li key={i}>
            <VerdictMark verdict={step.verdict} />
            <code>{cleanText(step.title)}</code>
            <span className="muted">{protoDurationText(step.duration)}</span>
            {step.reason && step.reason !== check.reason && (
              <span className="why">{cleanText(step.reason)}</span>
            )}
            <span className="muted position">{step.position}</span>
            {step.spanId && !forCandidate && (
              <Link
                href={spanAddress(run, step.spanId)}
                aria-label={`${cleanText(step.title)} in the trace`}
              >
                trace
              </Link>
            )}
            <Cases cases={step.cases} />
            {step.spanId && evidenceOf(step.spanId)}
          </li>
        ))}
      </ol>
    </details>
  );
}

// What a test framework, or a set of variants, came to.
function Cases({ cases }: { cases: readonly CheckResult_Case[] }) {
  if (cases.length === 0) return null;
  return (
    <ul className="parts cases">
      {cases.map((each, i) => (
        <li key={i}>
          <VerdictMark verdict={each.verdict} />
          <span>{cleanText(each.name)}</span>
          {each.reason && (
            <span className="muted why">{cleanText(each.reason)}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function PendingRow({ check }: { check: PendingCheck }) {
  return (
    <div className="check pending">
      <span className="verdict running" aria-hidden="true" />
      <span className="check-title">{cleanText(check.title)}</span>
      <span className="muted">running</span>
    </div>
  );
}

export function VerdictMark({ verdict }: { verdict: Verdict }) {
  const word = verdictText(verdict);
  return (
    <span className={`verdict ${word.replace(' ', '-')}`} title={word}>
      <span className="visually-hidden">{word}</span>
    </span>
  );
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
