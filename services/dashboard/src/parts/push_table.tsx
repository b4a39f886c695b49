import { type Push, Push_State } from '../gen/assay/v1/attempt_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import { cleanText } from '../model/clean_text';
import { idOf, shortCommit } from '../model/format';
import { Link } from '../router';
import { Empty } from './empty';
import { RunPill, ScoreText } from './run_pill';
import { scrollable } from './scrollable';
import { Time } from './time';

interface Props {
  // Oldest first, as the server has them.
  pushes: readonly Push[];
  runs: readonly Run[];
  now: number;
  // Whether more may come.
  open: boolean;
}

export function PushTable({ pushes, runs, now, open }: Props) {
  if (pushes.length === 0 && !open) {
    return (
      <p className="muted">Nothing was pushed before the time was over.</p>
    );
  }
  if (pushes.length === 0) {
    return (
      <Empty title="Nothing pushed so far">
        <p>
          Each push runs the public checks. Their results appear here and in
          your terminal.
        </p>
      </Empty>
    );
  }
  const byName = new Map(runs.map((run) => [run.name, run]));
  return (
    <div className="table-scroll" ref={scrollable}>
      <table>
        <thead>
          <tr>
            <th scope="col">Commit</th>
            <th scope="col">Message</th>
            <th scope="col">Received</th>
            <th scope="col">Public checks</th>
            <th scope="col" className="number">
              Points
            </th>
          </tr>
        </thead>
        <tbody>
          {pushes.toReversed().map((push) => (
            <PushRow
              key={push.name}
              push={push}
              run={byName.get(push.run)}
              now={now}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PushRow({ push, run, now }: { push: Push; run?: Run; now: number }) {
  const refused = push.state === Push_State.REFUSED;
  return (
    <tr>
      <td className="mono">{shortCommit(push.newCommit)}</td>
      <td className="subject">{cleanText(push.subject)}</td>
      <td>
        <Time at={push.receiveTime} now={now} />
        {push.late && <span className="tag warn">late</span>}
      </td>
      <td>
        {refused && <span className="pill bad">refused: {push.refusal}</span>}
        {run && (
          <Link href={`/attempt/runs/${idOf(run.name)}`}>
            <RunPill run={run} />
          </Link>
        )}
      </td>
      <td className="number">{run && <ScoreText run={run} />}</td>
    </tr>
  );
}
