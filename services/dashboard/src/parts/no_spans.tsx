import { countText } from '../model/format';
import { whyNothing } from '../model/nothing';
import type { RunModel } from '../model/run_model';
import { Empty } from './empty';

// A trace of nothing: why, and what is to come.
export function NoSpans({ model }: { model: RunModel }) {
  const why = whyNothing(model.run);
  const { finished, droppedSpans } = model;
  return (
    <Empty title={finished ? 'No spans' : 'No spans so far'}>
      {why && <p>{why}</p>}
      {!finished && (
        <p>
          Each phase, check, request and SQL statement appears as it happens.
        </p>
      )}
      {droppedSpans > 0 && (
        <p>{countText(droppedSpans, 'span')} went beyond a limit of the run.</p>
      )}
      {finished && !why && droppedSpans === 0 && (
        <p>Its worker reported none.</p>
      )}
    </Empty>
  );
}
