import type { GetHomeResponse_Funnel } from '../gen/assay/v1/overview_service_pb';

// How far those have come who were invited. A bar for each step says how many
// of the invited reached it; the numbers say it too.
export function FunnelBar({ funnel }: { funnel: GetHomeResponse_Funnel }) {
  const steps = [
    ['invited', funnel.invited],
    ['accepted', funnel.accepted],
    ['started', funnel.started],
    ['submitted', funnel.submitted],
    ['decided', funnel.decided],
  ] as const;
  return (
    <dl className="funnel">
      {steps.map(([word, count]) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd>
            {count}
            <meter
              aria-hidden="true"
              min={0}
              max={Math.max(1, funnel.invited)}
              value={count}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}
