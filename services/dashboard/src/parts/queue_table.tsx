import type { GetHomeResponse } from '../gen/assay/v1/overview_service_pb';
import { idOf, kindText } from '../model/format';
import { Link } from '../router';
import { scrollable } from './scrollable';
import { Time } from './time';

// Runs that wait for a worker, and when each will probably start.
export function QueueTable({
  home,
  now,
}: {
  home: GetHomeResponse;
  now: number;
}) {
  return (
    <div className="table-scroll" ref={scrollable}>
      <table>
        <thead>
          <tr>
            <th scope="col" className="number">
              Ahead
            </th>
            <th scope="col">Run</th>
            <th scope="col">Assignment</th>
            <th scope="col">Kind</th>
            <th scope="col">Queued</th>
            <th scope="col">Probably starts</th>
          </tr>
        </thead>
        <tbody>
          {home.queue.map((run, row) => (
            <tr key={run.run || row}>
              <td className="number">{run.position}</td>
              <td>
                <Link href={`/${run.run}`} className="mono">
                  {idOf(run.run).slice(0, 10)}
                </Link>
              </td>
              <td>
                <Link href={`/${run.assignment}`}>{idOf(run.assignment)}</Link>
              </td>
              <td>{kindText(run.kind)}</td>
              <td>
                <Time at={run.queueTime} now={now} />
              </td>
              <td>
                {run.waitsFor || <Time at={run.expectedStartTime} now={now} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
