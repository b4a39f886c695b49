import type { Push } from '../gen/assay/v1/attempt_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import { cleanText } from '../model/clean_text';
import { shortCommit } from '../model/format';
import { Link } from '../router';
import { DiffView } from './diff_view';
import { RunPill, ScoreText } from './run_pill';
import { Time } from './time';

interface Props {
  attempt: string;
  // Accepted ones, oldest first; not empty.
  pushes: readonly Push[];
  runs: readonly Run[];
  now: number;
  // The push that is shown, from 0, and what it is compared with.
  at: number;
  against: 'template' | 'before';
  onMove: (at: number, against: 'template' | 'before') => void;
}

// Walks through an attempt push by push, with the score and the code at each.
export function PushScrubber(props: Props) {
  const { attempt, pushes, runs, now, at, against, onMove } = props;
  const push = pushes[at]!;
  const before = at > 0 ? pushes[at - 1]! : null;
  const run = runs.find((each) => each.name === push.run);
  const from = against === 'before' && before ? before.newCommit : '';
  return (
    <>
      <div className="scrubber">
        <input
          type="range"
          min={1}
          max={pushes.length}
          value={at + 1}
          aria-label="Push"
          aria-valuetext={`push ${at + 1} of ${pushes.length}`}
          disabled={pushes.length === 1}
          onChange={(event) => onMove(Number(event.target.value) - 1, against)}
        />
        <p>
          <strong>
            Push {at + 1} of {pushes.length}
          </strong>{' '}
          <span className="mono">{shortCommit(push.newCommit)}</span>{' '}
          {cleanText(push.subject)}{' '}
          <span className="muted">
            <Time at={push.receiveTime} now={now} />
          </span>
          {push.late && <span className="tag warn">late</span>}
          {run && (
            <span className="timeline-run">
              {' '}
              <Link href={`/${run.name}`}>
                <RunPill run={run} />
              </Link>
              <ScoreText run={run} />
            </span>
          )}
        </p>
        <label>
          Compared with{' '}
          <select
            value={before ? against : 'template'}
            onChange={(event) =>
              onMove(
                at,
                event.target.value === 'before' ? 'before' : 'template',
              )
            }
          >
            <option value="template">the template</option>
            {before && <option value="before">the push before</option>}
          </select>
        </label>
      </div>
      <DiffView
        key={`${from} ${push.newCommit}`}
        attempt={attempt}
        from={from}
        to={push.newCommit}
      />
    </>
  );
}
