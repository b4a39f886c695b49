// Which runs one is compared with.

import { type Run, Run_Kind, Run_State } from '../gen/assay/v1/run_pb';
import {
  idOf,
  kindText,
  millis,
  pointsText,
  shortCommit,
  whenText,
} from './format';

export interface Choices {
  // The author's own solution; null: there is none, or it is the run itself.
  reference: Run | null;
  // All else that has ended, each once, in the order of the lists.
  others: Run[];
}

export function compareChoices(
  run: Run,
  lists: readonly (readonly Run[])[],
  reference: Run | undefined,
): Choices {
  const seen = new Map<string, Run>();
  for (const each of lists.flat()) {
    if (each.state !== Run_State.FINISHED) continue;
    if (each.name === run.name || each.name === reference?.name) continue;
    seen.set(each.name, each);
  }
  return {
    reference: reference && reference.name !== run.name ? reference : null,
    others: [...seen.values()],
  };
}

// "same attempt, push, 4f2a91c0, 75 / 75, 3 May 2026, 14:02:11".
export function choiceText(each: Run, run: Run): string {
  return [whose(each, run), kindText(each.kind), ...particulars(each)].join(
    ', ',
  );
}

// Without whose it is: there is one.
export function referenceText(reference: Run): string {
  return ['Reference', ...particulars(reference)].join(', ');
}

function whose(each: Run, run: Run): string {
  if (each.attempt === run.attempt) return 'same attempt';
  return each.kind === Run_Kind.REFERENCE ? 'earlier' : idOf(each.attempt);
}

function particulars({ commit, score, queueTime }: Run): string[] {
  const queued = millis(queueTime);
  return [
    shortCommit(commit),
    score ? `${pointsText(score.earned)} / ${pointsText(score.max)}` : '',
    queued === null ? '' : whenText(queued).replace(/ \(.*/, ''),
  ].filter(Boolean);
}
