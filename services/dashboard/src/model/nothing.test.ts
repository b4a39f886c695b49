import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { RunSchema, Run_State } from '../gen/assay/v1/run_pb';
import { whyNothing } from './nothing';

const why = (init: MessageInitShape<typeof RunSchema>) =>
  whyNothing(create(RunSchema, init));

test('a run that waits says behind how many', () => {
  const state = Run_State.QUEUED;
  expect(why({ state })).toContain('is the next');
  expect(why({ state, queuePosition: 1 })).toContain('behind 1 run.');
  expect(why({ state, queuePosition: 3 })).toContain('behind 3 runs.');
});

test('a run that never began is told from one that something ended', () => {
  const outcomeReason = 'nobody wants it any more.';
  expect(why({ state: Run_State.SUPERSEDED })).toContain('a newer push');
  expect(why({ state: Run_State.FINISHED, outcomeReason })).toBe(
    'It never began: nobody wants it any more.',
  );
  const startTime = { seconds: 1n };
  const ended = { state: Run_State.FINISHED, startTime };
  expect(why({ ...ended, outcomeReason: 'the build exited with 1' })).toBe(
    'What ended it: the build exited with 1.',
  );
  expect(why(ended)).toBe('');
  expect(why({ state: Run_State.RUNNING })).toBe('');
});

test('what a program said cannot reorder the sentence', () => {
  const outcomeReason = 'it said \u202egnp.exe';
  expect(why({ state: Run_State.FINISHED, outcomeReason })).not.toContain(
    '\u202e',
  );
});
