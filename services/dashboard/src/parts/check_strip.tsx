import { type CheckResult, Verdict } from '../gen/assay/v1/check_pb';
import { cleanText } from '../model/clean_text';
import { verdictText } from '../model/format';
import { VerdictMark } from './check_list';

interface Props {
  checks: Iterable<CheckResult>;
  // The span that is chosen.
  chosen: string;
  onChoose: (span: string) => void;
}

// Every check's verdict in a row; each leads to its part of the trace.
export function CheckStrip({ checks, chosen, onChoose }: Props) {
  const known = Array.from(checks).filter((check) => check.spanId);
  if (known.length === 0) return null;
  return (
    <div className="check-strip" role="group" aria-label="Checks">
      {known.map((check) => (
        <button
          key={check.checkId}
          type="button"
          className={check.verdict === Verdict.PASSED ? '' : 'lost'}
          aria-pressed={chosen === check.spanId}
          title={`${cleanText(check.title)}: ${verdictText(check.verdict)}`}
          onClick={() => onChoose(check.spanId)}
        >
          <VerdictMark verdict={check.verdict} />
          {cleanText(check.checkId)}
        </button>
      ))}
    </div>
  );
}
