import type { Run } from '../gen/assay/v1/run_pb';
import {
  durationText,
  idOf,
  kindText,
  millis,
  shortCommit,
} from '../model/format';
import { Link } from '../router';
import { RunPill, ScoreText } from './run_pill';
import { scrollable } from './scrollable';
import { Time } from './time';

interface Props {
  runs: readonly Run[];
  now: number;
  // Leaves the assignment's column out.
  ofOne?: boolean;
}

export function RunTable({ runs, now, ofOne }: Props) {
  return (
    <div className="table-scroll" ref={scrollable}>
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            {!ofOne && <th scope="col">Assignment</th>}
            <th scope="col">Kind</th>
            <th scope="col">Commit</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Score
            </th>
            <th scope="col" className="number">
              Took
            </th>
            <th scope="col">Queued</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.name}>
              <td>
                <Link href={`/${run.name}`} className="mono">
                  {idOf(run.name).slice(0, 10)}
                </Link>
              </td>
              {!ofOne && (
                <td>
                  <Link href={`/${run.assignment}`}>
                    {idOf(run.assignment)}
                  </Link>
                </td>
              )}
              <td>{kindText(run.kind)}</td>
              <td className="mono">{shortCommit(run.commit)}</td>
              <td>
                <RunPill run={run} />
              </td>
              <td className="number">
                <ScoreText run={run} />
              </td>
              <td className="number">{tookText(run, now)}</td>
              <td>
                <Time at={run.queueTime} now={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function tookText(run: Run, now: number): string {
  const start = millis(run.startTime);
  if (start === null) return '';
  return durationText(Math.max(0, (millis(run.finishTime) ?? now) - start));
}
