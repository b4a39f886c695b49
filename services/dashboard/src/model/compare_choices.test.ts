import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { Run_Kind, Run_State, RunSchema } from '../gen/assay/v1/run_pb';
import { choiceText, compareChoices, referenceText } from './compare_choices';

const run = (name: string, more = {}) =>
  create(RunSchema, {
    name: `runs/${name}`,
    attempt: 'attempts/ada',
    commit: '4f2a91c0aaaa',
    kind: Run_Kind.PUSH,
    state: Run_State.FINISHED,
    ...more,
  });
const REFERENCE = run('reference', {
  attempt: 'attempts/nobody',
  kind: Run_Kind.REFERENCE,
  score: { earned: 75, max: 75 },
});

describe('compareChoices', () => {
  it('has the reference apart and everything else once', () => {
    const mine = run('mine');
    const push = run('push');
    const { reference, others } = compareChoices(
      mine,
      [
        [mine, push],
        [push, REFERENCE, run('bob', { attempt: 'attempts/bob' })],
      ],
      REFERENCE,
    );
    expect(reference).toBe(REFERENCE);
    expect(others.map(({ name }) => name)).toEqual(['runs/push', 'runs/bob']);
  });

  it('leaves out what has not ended', () => {
    const waits = run('waits', { state: Run_State.QUEUED });
    expect(compareChoices(run('mine'), [[waits]], undefined)).toEqual({
      reference: null,
      others: [],
    });
  });

  it('does not compare the reference with itself', () => {
    expect(compareChoices(REFERENCE, [[REFERENCE]], REFERENCE)).toEqual({
      reference: null,
      others: [],
    });
  });
});

describe('what stands in the list', () => {
  it('says whose a run is and what it came to', () => {
    const mine = run('mine');
    expect(referenceText(REFERENCE)).toBe('Reference, 4f2a91c0, 75 / 75');
    expect(choiceText(run('push'), mine)).toBe('same attempt, push, 4f2a91c0');
    expect(choiceText(run('bob', { attempt: 'attempts/bob' }), mine)).toBe(
      'bob, push, 4f2a91c0',
    );
    expect(choiceText(REFERENCE, mine)).toBe(
      'earlier, reference, 4f2a91c0, 75 / 75',
    );
  });
});
