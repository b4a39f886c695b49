import { useMemo, useState } from 'react';

import type { GetReferenceResponse } from '../gen/assay/v1/assignment_service_pb';
import type { CheckResult } from '../gen/assay/v1/check_pb';
import type { Run } from '../gen/assay/v1/run_pb';
import { cleanText } from '../model/clean_text';
import { compareChecks, compareWork, type Work } from '../model/compare';
import {
  choiceText,
  compareChoices,
  referenceText,
} from '../model/compare_choices';
import { durationText, idOf, pointsText } from '../model/format';
import type { RunModel } from '../model/run_model';
import { Link } from '../router';
import { sentence, useClients } from '../rpc/client';
import { VerdictMark } from './check_list';
import { Empty } from './empty';
import { useLoad } from './use_load';
import { useRun } from './use_run';

// How many kinds of requests and statements are listed.
const LISTED = 60;

interface Props {
  model: RunModel;
  version: number;
  // The other run's name; empty: none is chosen.
  other: string;
  onChoose: (name: string) => void;
}

// Two runs beside each other: of one candidate, of two, or of a candidate and
// the author's reference solution.
export function RunCompare({ model, version, other, onChoose }: Props) {
  const { assignments, runs } = useClients();
  const run = model.run!;
  const listed = useLoad(async (signal) => {
    const [mine, all] = await Promise.all([
      runs.listRuns({ attempt: run.attempt, pageSize: 100 }, { signal }),
      runs.listRuns({ assignment: run.assignment, pageSize: 200 }, { signal }),
    ]);
    return [mine.runs, all.runs];
  });
  // Of the same version: another one's checks may be others.
  const found = useLoad((signal) =>
    assignments.getReference(
      { name: run.assignment, version: run.assignmentVersion },
      { signal },
    ),
  );
  const problem = listed.error ?? found.error;
  const [typed, setTyped] = useState('');
  const { reference, others } = compareChoices(
    run,
    listed.value ?? [],
    found.value?.reference?.run,
  );
  return (
    <>
      {problem !== null && <p className="notice bad">{sentence(problem)}</p>}
      <form
        className="table-tools"
        onSubmit={(event) => {
          event.preventDefault();
          const id = typed.trim();
          if (id) onChoose(id.startsWith('runs/') ? id : `runs/${id}`);
        }}
      >
        <label>
          Compare with{' '}
          <select
            value={other}
            onChange={(event) => onChoose(event.target.value)}
          >
            <option value="">choose a run</option>
            {reference && (
              <option value={reference.name}>{referenceText(reference)}</option>
            )}
            {others.map((each) => (
              <option key={each.name} value={each.name}>
                {choiceText(each, run)}
              </option>
            ))}
          </select>
        </label>
        <label>
          or its name{' '}
          <input
            value={typed}
            placeholder="run_…"
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
      </form>
      {other ? (
        <Beside
          key={other}
          here={model}
          version={version}
          other={other}
          isReference={other === reference?.name}
        />
      ) : (
        <Empty title="No other run chosen">
          <p>
            Another push of the same candidate shows what a change did; another
            candidate’s run, or the reference’s, shows what can be had.
          </p>
          {found.value && <AboutReference of={found.value} run={run} />}
        </Empty>
      )}
    </>
  );
}

// Why the reference is not offered, and who makes it.
function AboutReference({
  of: { reference },
  run,
}: {
  of: GetReferenceResponse;
  run: Run;
}) {
  const { attempt, assignment, assignmentVersion } = run;
  const page = `/${assignment}?tab=task`;
  if (reference?.run) {
    if (reference.run.name !== run.name) return null;
    return <p>This run is the reference.</p>;
  }
  if (reference?.attempt === attempt) return null;
  if (reference?.push) {
    return (
      <p>
        No run of the reference solution by version {assignmentVersion} has
        ended: <Link href={page}>its state</Link>.
      </p>
    );
  }
  return (
    <p>
      This assignment has no reference solution yet. Its author{' '}
      <Link href={page}>pushes one</Link>, and it is offered here first.
    </p>
  );
}

function Beside({
  here,
  version,
  other,
  isReference,
}: {
  here: RunModel;
  version: number;
  other: string;
  isReference: boolean;
}) {
  const there = useRun(other);
  const thereVersion = there.version;
  const checks = compareChecks(here.checks, there.model.checks);
  const work = useMemo(
    () => compareWork(here.spans.values(), there.model.spans.values()),
    // The spans are kept in place; the versions say that they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [here, version, there.model, thereVersion],
  );
  if (there.connection.state === 'failed') {
    return (
      <p className="notice bad" role="alert">
        {sentence(there.connection.error)}
      </p>
    );
  }
  const differing = checks.filter((check) => !check.same).length;
  return (
    <>
      <p>
        {differing === 0
          ? 'Every check came to the same.'
          : `${differing} of ${checks.length} checks differ.`}{' '}
        {isReference ? 'The reference' : 'The other'}:{' '}
        <Link href={`/${other}`}>{idOf(other)}</Link>
      </p>
      <div
        className="table-scroll"
        tabIndex={0}
        role="region"
        aria-label="Checks of both runs"
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Check</th>
              <th scope="col">This run</th>
              <th scope="col">{isReference ? 'Reference' : 'The other'}</th>
            </tr>
          </thead>
          <tbody>
            {checks.map((check) => (
              <tr key={check.id} className={check.same ? '' : 'differs'}>
                <td>{cleanText(check.title) || check.id}</td>
                <td>
                  <Result of={check.here} />
                </td>
                <td>
                  <Result of={check.there} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h3>Requests and statements</h3>
      {work.length === 0 ? (
        <p className="muted">Neither run has any.</p>
      ) : (
        <WorkTable
          work={work}
          there={isReference ? 'Reference' : 'The other'}
        />
      )}
    </>
  );
}

function Result({ of }: { of?: CheckResult }) {
  if (!of) return <span className="muted">not run</span>;
  return (
    <>
      <VerdictMark verdict={of.verdict} /> {pointsText(of.earned)} /{' '}
      {pointsText(of.points)}
      {of.reason && <p className="muted">{cleanText(of.reason)}</p>}
    </>
  );
}

function WorkTable({ work, there }: { work: Work[]; there: string }) {
  return (
    <div
      className="table-scroll"
      tabIndex={0}
      role="region"
      aria-label="Requests and statements"
    >
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col" className="number">
              This run
            </th>
            <th scope="col" className="number">
              took
            </th>
            <th scope="col" className="number">
              {there}
            </th>
            <th scope="col" className="number">
              took
            </th>
          </tr>
        </thead>
        <tbody>
          {work.slice(0, LISTED).map((each) => (
            <tr key={`${each.lane} ${each.name}`}>
              <td className="mono what">{each.name}</td>
              <td className="number">{each.here.count}×</td>
              <td className="number">{durationText(each.here.total)}</td>
              <td className="number">{each.there.count}×</td>
              <td className="number">{durationText(each.there.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {work.length > LISTED && (
        <p className="muted">and {work.length - LISTED} more kinds</p>
      )}
    </div>
  );
}
