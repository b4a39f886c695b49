import { durationText } from '../model/format';
import type { Phase } from '../model/run_model';

// The run's parts in their order, with how long each took.
export function PhaseStrip({
  phases,
  now,
}: {
  phases: readonly Phase[];
  now: number;
}) {
  if (phases.length === 0) return null;
  return (
    <ol className="phases" aria-label="Phases">
      {phases.map((phase, i) => (
        <li key={i} className={toneOf(phase)} title={phase.reason}>
          <span>{phase.name}</span>
          <span className="muted">{tookText(phase, now)}</span>
        </li>
      ))}
    </ol>
  );
}

function toneOf(phase: Phase): string {
  if (phase.ok === null) return 'running';
  return phase.ok ? 'good' : 'bad';
}

function tookText(phase: Phase, now: number): string {
  if (phase.startedAt === null) return '';
  return durationText(Math.max(0, (phase.finishedAt ?? now) - phase.startedAt));
}
