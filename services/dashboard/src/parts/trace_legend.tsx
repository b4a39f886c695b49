import { durationText } from '../model/format';
import type { TraceTree } from '../model/trace_tree';

interface Props {
  tree: TraceTree;
  dropped: bigint;
  hasFaults: boolean;
}

export function TraceLegend({ tree, dropped, hasFaults }: Props) {
  return (
    <p className="legend">
      <span className="lane runner">runner</span>
      <span className="lane service">requests</span>
      <span className="lane database">statements</span>
      <span className="lane reported">reported by the service</span>
      {hasFaults && <span className="lane fault">fault at work</span>}
      <span className="muted">
        {tree.rows.length} spans, {durationText(tree.length)}
      </span>
      {dropped > 0n && (
        <span className="muted">{String(dropped)} more were dropped</span>
      )}
    </p>
  );
}
