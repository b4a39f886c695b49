import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

import { AssignmentSpec_LatePolicy } from '../gen/assay/v1/assignment_pb';
import {
  AttemptClockSchema,
  AttemptRulesSchema,
} from '../gen/assay/v1/attempt_pb';
import { ruleSentences, skewSentence } from './rules';

const clock = create(AttemptClockSchema, {
  duration: durationFromMs(2 * 3_600_000),
  accommodation: 1.5,
  grace: durationFromMs(120_000),
});

test('the time allowed is the candidate’s own, with the accommodation', () => {
  expect(ruleSentences(undefined, clock)[0]).toContain('3 h 00 min');
});

test('every policy has its sentence', () => {
  const text = ruleSentences(
    create(AttemptRulesSchema, {
      latePolicy: AssignmentSpec_LatePolicy.PRACTICE,
      maxPushBytes: 16n << 20n,
      pushRunsPerHour: 30,
      linearHistory: true,
      commitSubject: '^feat: ',
      allowTags: true,
      hardCloseTime: timestampFromMs(Date.UTC(2026, 2, 1, 9)),
    }),
    clock,
  ).join('\n');
  expect(text).toContain('until 2 min 00 s after');
  expect(text).toContain('for your own use');
  expect(text).toContain('without --force');
  expect(text).toContain('Merges are refused');
  expect(text).toContain('match ^feat:  (RE2)');
  expect(text).toContain('push tags, one at a time');
  expect(text).toContain('16 MiB');
  expect(text).toContain('30 pushes an hour');
  expect(text).toContain('2026-03-01 09:00:00 UTC');
});

test('a clock that is off is said, one that is not is not', () => {
  expect(skewSentence(900)).toBe('');
  expect(skewSentence(90_000)).toContain('1 min 30 s behind');
  expect(skewSentence(-90_000)).toContain('ahead of');
});
