import type { Assignment } from '../gen/assay/v1/assignment_pb';
import { cleanText } from '../model/clean_text';
import { pointsText } from '../model/format';
import {
  parseVerified,
  type Verified,
  VERIFIED_FILE,
  type VerifiedSolution,
} from '../model/verified';
import { useClients } from '../rpc/client';
import { Empty } from './empty';
import { Answer } from './loading';
import { useLoad } from './use_load';

// How the suite judged solutions of which its author knows what they lose.
export function VerifyTable({ assignment }: { assignment: Assignment }) {
  const { suites } = useClients();
  const { name, version } = assignment;
  const found = useLoad(async (signal) => {
    const { suite } = await suites.getSuite({ name, version }, { signal });
    const file = suite?.files.find(({ path }) => path === VERIFIED_FILE);
    const text = file && new TextDecoder().decode(file.content);
    return { verified: text === undefined ? null : parseVerified(text) };
  }, version);
  return (
    <Answer of={found} what="suite">
      {({ verified }) => (verified ? <Table of={verified} /> : <None />)}
    </Answer>
  );
}

function None() {
  return (
    <Empty title="No report of a verification">
      <p>
        Which faulty solutions the suite catches is shown here once their report
        lies beside the suite:
      </p>
      <p>
        <code>assay suite verify DIR --report DIR/suite/{VERIFIED_FILE}</code>
      </p>
    </Empty>
  );
}

function Table({ of }: { of: Verified }) {
  return (
    <>
      <p>
        {of.ok
          ? 'Every solution came to what its author declared.'
          : 'Not every solution came to what its author declared.'}{' '}
        <span className="muted">
          The author’s own report, as old as the file: verify again after a
          change of the suite.
        </span>
      </p>
      <div
        className="table-scroll"
        tabIndex={0}
        role="region"
        aria-label="Verification of the suite"
      >
        <table className="verified">
          <thead>
            <tr>
              <th scope="col">Solution</th>
              <th scope="col" className="number">
                Points
              </th>
              <th scope="col" className="number">
                As declared
              </th>
              <th scope="col">Loses</th>
              <th scope="col">Otherwise than declared</th>
            </tr>
          </thead>
          <tbody>
            {of.solutions.map((solution) => (
              <Row key={solution.id} of={solution} />
            ))}
          </tbody>
        </table>
      </div>
      {of.unguarded.length > 0 && (
        <p className="notice warn">
          No faulty solution loses {of.unguarded.map(cleanText).join(', ')}:
          that these checks catch anything is not shown.
        </p>
      )}
    </>
  );
}

function Row({ of }: { of: VerifiedSolution }) {
  return (
    <tr className={of.ok ? '' : 'differs'}>
      <td>
        <span className="mono">{cleanText(of.id)}</span>{' '}
        <span className="muted">{cleanText(of.title)}</span>
      </td>
      <td className="number">
        {pointsText(of.points)} / {pointsText(of.max)}
      </td>
      <td className="number">
        {of.asDeclared} of {of.runs}
      </td>
      <td>{of.lost.map(cleanText).join(', ') || 'nothing'}</td>
      <td>
        {of.surprises.map((each) => (
          <p key={each.check}>
            {cleanText(each.check)}: {pointsText(each.earned)} instead of{' '}
            {pointsText(each.declared)}, {each.times}×{' '}
            <span className="muted">{cleanText(each.reason)}</span>
          </p>
        ))}
        {cleanText(of.problem)}
      </td>
    </tr>
  );
}
