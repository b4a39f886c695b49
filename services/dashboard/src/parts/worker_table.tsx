import { type FormEvent, useState } from 'react';

import { Role } from '../gen/assay/v1/access_pb';
import { type Worker, Worker_State } from '../gen/assay/v1/worker_service_pb';
import { cleanText } from '../model/clean_text';
import { idOf } from '../model/format';
import { sentence, useClients } from '../rpc/client';
import { NO_OUTCOME, OutcomeNotice } from './outcome_notice';
import { scrollable } from './scrollable';
import { useSelf } from './self';
import { Time } from './time';
import { useDraft } from './use_draft';

interface Props {
  workers: Worker[];
  now: number;
  onChanged: () => void;
}

// The machines that execute runs. Admins say which of them get any.
export function WorkerTable({ workers, now, onChanged }: Props) {
  const self = useSelf();
  const acting = useActing(onChanged);
  if (workers.every((worker) => !worker.attached)) {
    return (
      <>
        <p className="notice warn">
          No worker is attached: runs wait. Start one with{' '}
          <code>assay-runner</code>.
        </p>
        {workers.length > 0 && (
          <Rows workers={workers} now={now} acting={acting} role={self?.role} />
        )}
      </>
    );
  }
  return <Rows workers={workers} now={now} acting={acting} role={self?.role} />;
}

function useActing(onChanged: () => void) {
  const clients = useClients();
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const act = async (work: () => Promise<unknown>, text: string) => {
    try {
      await work();
      setOutcome({ text, good: true });
      onChanged();
      return true;
    } catch (error) {
      setOutcome({ text: sentence(error), good: false });
      return false;
    }
  };
  const drain = (name: string, reason: string) =>
    act(
      () => clients.workers.drainWorker({ name, reason }),
      `${shown(name)} finishes what it holds and gets no more runs.`,
    );
  const resume = (name: string) =>
    act(
      () => clients.workers.resumeWorker({ name }),
      `${shown(name)} gets runs again.`,
    );
  const forget = (name: string) =>
    act(
      () => clients.workers.forgetWorker({ name }),
      `${shown(name)} is forgotten. It is back if it attaches again.`,
    );
  return { outcome, drain, resume, forget };
}

type Acting = ReturnType<typeof useActing>;

function Rows(props: {
  workers: Worker[];
  now: number;
  acting: Acting;
  role?: Role;
}) {
  const { workers, now, acting, role } = props;
  const [draining, setDraining] = useState('');
  return (
    <>
      <div className="table-scroll" ref={scrollable}>
        <table>
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col">Busy</th>
              <th scope="col">Attached</th>
              <th scope="col">Gets runs</th>
              {role === Role.ADMIN && (
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.name}>
                <td className="mono">{shown(worker.name)}</td>
                <td>{worker.attached && <Busy worker={worker} />}</td>
                <td>
                  {worker.attached ? 'since ' : 'no; last '}
                  <Time at={worker.attachTime} now={now} />
                </td>
                <td className="why">{getsRuns(worker)}</td>
                {role === Role.ADMIN && (
                  <td className="number">
                    <Actions
                      worker={worker}
                      acting={acting}
                      onDrain={() => setDraining(worker.name)}
                    />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {draining && (
        <DrainForm
          key={draining}
          name={draining}
          acting={acting}
          onDone={() => setDraining('')}
        />
      )}
      <OutcomeNotice outcome={acting.outcome} />
    </>
  );
}

function Busy({ worker }: { worker: Worker }) {
  return (
    <>
      {worker.busy} of {worker.slots}{' '}
      <meter
        aria-hidden="true"
        min={0}
        max={Math.max(1, worker.slots)}
        value={worker.busy}
      />
    </>
  );
}

function Actions(props: {
  worker: Worker;
  acting: Acting;
  onDrain: () => void;
}) {
  const { worker, acting, onDrain } = props;
  const { name } = worker;
  const label = (what: string) => `${what} ${shown(name)}`;
  return (
    <>
      {worker.state === Worker_State.ACTIVE && worker.attached && (
        <button
          type="button"
          className="quiet"
          aria-label={label('Drain')}
          onClick={onDrain}
        >
          Drain
        </button>
      )}
      {worker.state !== Worker_State.ACTIVE && (
        <button
          type="button"
          className="quiet"
          aria-label={label('Resume')}
          onClick={() => void acting.resume(name)}
        >
          Resume
        </button>
      )}
      {!worker.attached && (
        <button
          type="button"
          className="quiet"
          aria-label={label('Forget')}
          onClick={() => void acting.forget(name)}
        >
          Forget
        </button>
      )}
    </>
  );
}

function DrainForm(props: {
  name: string;
  acting: Acting;
  onDone: () => void;
}) {
  const { name, acting, onDone } = props;
  const [reason, setReason, forget] = useDraft(`drain ${name}`, '');
  const drain = (event: FormEvent) => {
    event.preventDefault();
    void acting.drain(name, reason.trim()).then((done) => {
      // What was typed stays for another try.
      if (!done) return;
      forget();
      onDone();
    });
  };
  return (
    <form className="inline-form" onSubmit={drain}>
      <label className="wide">
        Why {shown(name)} is drained, for whoever wonders
        <input
          autoFocus
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <button type="submit" className="primary">
        Drain
      </button>
      <button type="button" className="quiet" onClick={onDone}>
        Leave it
      </button>
    </form>
  );
}

function shown(name: string): string {
  return cleanText(idOf(name));
}

function getsRuns(worker: Worker): string {
  const reason = cleanText(worker.reason);
  const because = reason && `: ${reason}`;
  switch (worker.state) {
    case Worker_State.DRAINED:
      return `no: ${worker.busy > 0 ? 'being drained' : 'drained'} by ${cleanText(worker.actor)}${because}`;
    case Worker_State.QUARANTINED:
      return `no: set aside${because}`;
    default:
      if (worker.faultCount === 0) return worker.attached ? 'yes' : '';
      return `yes; ${worker.faultCount} in a row failed by its fault, last: ${cleanText(worker.lastFault)}`;
  }
}
