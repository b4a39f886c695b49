import { type Attempt, Attempt_State } from '../gen/assay/v1/attempt_pb';
import { durationText, millis, utcText } from '../model/format';

const SOON = 15 * 60_000;

// How much time is left, and when exactly it ends.
export function Countdown({ attempt, now }: { attempt: Attempt; now: number }) {
  const { state, clock } = attempt;
  const deadline = millis(clock?.deadline);
  if (state === Attempt_State.ACCEPTED) {
    return <span className="pill">not started</span>;
  }
  if (clock?.pauseTime) return <span className="pill waiting">paused</span>;
  if (state === Attempt_State.SUBMITTED && attempt.pushCount === 0) {
    return <span className="pill warn">nothing handed in</span>;
  }
  if (state === Attempt_State.SUBMITTED || deadline === null) {
    return <span className="pill good">handed in</span>;
  }
  const left = deadline - now;
  const exact = `${new Date(deadline).toLocaleString()}\n${utcText(deadline)}`;
  if (left <= 0) {
    return (
      <span className="pill warn" title={exact}>
        time is over
      </span>
    );
  }
  return (
    <span className={`pill ${left < SOON ? 'warn' : 'running'}`} title={exact}>
      {durationText(left)} left
    </span>
  );
}
