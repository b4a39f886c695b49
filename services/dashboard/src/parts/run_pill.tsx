import type { Run } from '../gen/assay/v1/run_pb';
import { pointsText, runWord } from '../model/format';

export function RunPill({ run }: { run: Run }) {
  const { text, tone } = runWord(run);
  return <span className={`pill ${tone}`}>{text}</span>;
}

export function ScoreText({ run }: { run: Run }) {
  if (!run.score) return <span className="muted">–</span>;
  const { earned, max, bonus } = run.score;
  return (
    <span className="score">
      <b>{pointsText(earned)}</b> / {pointsText(max)}
      {bonus > 0 && ` + ${pointsText(bonus)}`}
    </span>
  );
}
