import type { GetSystemResponse_Worker } from '../gen/assay/v1/system_service_pb';
import { cleanText } from '../model/clean_text';
import { Time } from './time';

export function WorkerTable({
  workers,
  now,
}: {
  workers: GetSystemResponse_Worker[];
  now: number;
}) {
  if (workers.length === 0) {
    return (
      <p className="notice warn">
        No worker is attached: runs wait. Start one with{' '}
        <code>assay-runner</code>.
      </p>
    );
  }
  return (
    <div className="table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Busy</th>
            <th scope="col">Attached</th>
            <th scope="col">Gets runs</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker, place) => (
            // Several processes of one machine have one name.
            <tr key={`${worker.name} ${place}`}>
              <td className="mono">{cleanText(worker.name)}</td>
              <td>
                {worker.busy} of {worker.slots}{' '}
                <meter
                  aria-hidden="true"
                  min={0}
                  max={Math.max(1, worker.slots)}
                  value={worker.busy}
                />
              </td>
              <td>
                <Time at={worker.attachTime} now={now} />
              </td>
              <td>
                {worker.heldBack === ''
                  ? 'yes'
                  : `no: ${cleanText(worker.heldBack)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
