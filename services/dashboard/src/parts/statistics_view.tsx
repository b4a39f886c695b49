import type {
  GetStatisticsResponse,
  GetStatisticsResponse_Check,
} from '../gen/assay/v1/overview_service_pb';
import { cleanText } from '../model/clean_text';
import { pointsText, protoDurationText } from '../model/format';
import { Empty } from './empty';
import { scrollable } from './scrollable';

// What final runs came to: scores, each check, and how long decisions take.
export function StatisticsView({ of }: { of: GetStatisticsResponse }) {
  if (of.scored === 0) {
    return (
      <Empty title="No scores yet">
        <p>
          The final run of the first submission brings one. Pass rates and how
          well each check tells candidates apart follow from them.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <dl className="facts">
        <div>
          <dt>Scored</dt>
          <dd>{of.scored}</dd>
        </div>
        <div>
          <dt>Mean</dt>
          <dd>{of.meanPercent.toFixed(1)} %</dd>
        </div>
        <div>
          <dt>Median</dt>
          <dd>{of.medianPercent.toFixed(1)} %</dd>
        </div>
        <Waits of={of} />
      </dl>
      <h3>Scores</h3>
      <Distribution of={of} />
      <h3>Checks</h3>
      <CheckTable checks={of.checks} />
    </>
  );
}

function Waits({ of }: { of: GetStatisticsResponse }) {
  const waits = of.decisions;
  if (!waits) return null;
  return (
    <>
      {waits.count > 0 && (
        <div>
          <dt>Submission to decision</dt>
          <dd>
            {protoDurationText(waits.median)} (median), nine of ten within{' '}
            {protoDurationText(waits.p90)}
          </dd>
        </div>
      )}
      {waits.open > 0 && (
        <div>
          <dt>Undecided</dt>
          <dd>
            {waits.open}, the longest for {protoDurationText(waits.longestOpen)}
          </dd>
        </div>
      )}
    </>
  );
}

const WIDTH = 600;
const HEIGHT = 120;

// Bars for the eye, and the same numbers in a table for everybody.
function Distribution({ of }: { of: GetStatisticsResponse }) {
  const most = Math.max(1, ...of.scores.map((bin) => bin.count));
  const step = WIDTH / of.scores.length;
  return (
    <figure className="distribution">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 34}`} aria-hidden="true">
        {of.scores.map((bin, i) => {
          const height = (bin.count / most) * HEIGHT;
          return (
            <g key={i}>
              <rect
                x={i * step + 2}
                y={16 + HEIGHT - height}
                width={step - 4}
                height={height}
              />
              {bin.count > 0 && (
                <text x={(i + 0.5) * step} y={11 + HEIGHT - height}>
                  {bin.count}
                </text>
              )}
              <text x={(i + 0.5) * step} y={HEIGHT + 31}>
                {bin.fromPercent}–{bin.toPercent}
              </text>
            </g>
          );
        })}
      </svg>
      <table className="visually-hidden">
        <caption>Scores in percent</caption>
        <tbody>
          {of.scores.map((bin, i) => (
            <tr key={i}>
              <th scope="row">
                {bin.fromPercent} to {bin.toPercent} %
              </th>
              <td>{bin.count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function CheckTable({ checks }: { checks: GetStatisticsResponse_Check[] }) {
  return (
    <>
      <div className="table-scroll" ref={scrollable}>
        <table>
          <thead>
            <tr>
              <th scope="col">Check</th>
              <th scope="col" className="number">
                Points
              </th>
              <th scope="col">Passed</th>
              <th scope="col" className="number">
                Tells apart
              </th>
              <th scope="col" className="number">
                Usually takes
              </th>
            </tr>
          </thead>
          <tbody>
            {checks.map((check) => {
              const all = check.passed + check.failed + check.other;
              return (
                <tr key={check.checkId}>
                  <td>
                    {cleanText(check.title) || check.checkId}
                    {check.hidden && <span className="tag">hidden</span>}
                    {check.bonus && <span className="tag">bonus</span>}
                  </td>
                  <td className="number">{pointsText(check.points)}</td>
                  <td>
                    <meter
                      aria-hidden="true"
                      min={0}
                      max={Math.max(1, all)}
                      value={check.passed}
                    />{' '}
                    {Math.round((100 * check.passed) / Math.max(1, all))} %
                    {check.other > 0 && (
                      <span className="muted"> ({check.other} not judged)</span>
                    )}
                  </td>
                  <td className="number">
                    <Discrimination check={check} />
                  </td>
                  <td className="number">
                    {protoDurationText(check.medianDuration)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="muted">
        “Tells apart” is how passing a check goes together with the points of
        all the others, from −1 to 1: near 0 it says nothing about a candidate,
        below 0 look at the check.
      </p>
    </>
  );
}

function Discrimination({ check }: { check: GetStatisticsResponse_Check }) {
  if (check.discrimination === undefined) {
    return <span title="Too few scores, or all came to the same">–</span>;
  }
  const text = check.discrimination.toFixed(2);
  return check.discrimination < 0.1 ? (
    <span className="tag warn">{text}</span>
  ) : (
    <>{text}</>
  );
}
