import { memo } from 'react';

import { durationText } from '../model/format';
import type { TraceTree } from '../model/trace_tree';

interface Props {
  tree: TraceTree;
  dropped: number;
  finished: boolean;
  hasFaults: boolean;
}

// Whose bars are whose, and what of the trace is missing.
export const TraceLegend = memo(function TraceLegend(props: Props) {
  const { tree, dropped, finished, hasFaults } = props;
  const orphans = tree.rows.filter((row) => row.orphan).length;
  const reports = tree.rows.some((row) => row.lane === 'reported');
  const missing = [
    dropped > 0 && `${dropped} more were dropped, over their quota`,
    orphans > 0 &&
      `${orphans} name a parent that is not here, and stand at the root`,
    !reports && 'the service itself reported none',
    !finished && 'more may come: the run is under way',
  ].filter(Boolean);
  return (
    <p className="legend">
      <span className="lane runner">runner</span>
      <span className="lane service">service: requests</span>
      <span className="lane reported">reported by the service</span>
      <span className="lane database">database: statements</span>
      {hasFaults && <span className="lane fault">fault at work</span>}
      <span className="muted">
        {tree.rows.length} spans, {durationText(tree.length)}
      </span>
      {missing.length > 0 && (
        <span className="muted">{missing.join('; ')}</span>
      )}
    </p>
  );
});
