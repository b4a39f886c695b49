import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

import {
  PushSchema,
  TimelineEntry_Kind,
  TimelineEntrySchema,
} from '../gen/assay/v1/attempt_pb';
import { RunSchema } from '../gen/assay/v1/run_pb';
import { SubmissionSchema } from '../gen/assay/v1/submission_pb';
import { timeline } from './timeline';

const at = timestampFromMs;

test('the newest comes first, and a run after the push that caused it', () => {
  const happened = timeline({
    entries: [
      create(TimelineEntrySchema, {
        kind: TimelineEntry_Kind.CLOCK,
        time: at(1),
      }),
      create(TimelineEntrySchema, {
        kind: TimelineEntry_Kind.PUSH,
        time: at(5),
      }),
    ],
    pushes: [create(PushSchema, { receiveTime: at(5) })],
    runs: [
      create(RunSchema, { queueTime: at(5) }),
      create(RunSchema, { queueTime: at(9) }),
    ],
    submissions: [create(SubmissionSchema, { submitTime: at(9) })],
  });
  expect(happened.map(({ kind }) => kind)).toEqual([
    'run',
    'submission',
    'run',
    'push',
    'clock',
  ]);
});

test('only the last submission counts', () => {
  const submissions = [1, 2].map((time) =>
    create(SubmissionSchema, { submitTime: at(time) }),
  );
  const happened = timeline({
    entries: [],
    pushes: [],
    runs: [],
    submissions,
  });
  const counts = happened.map(
    (each) => each.kind === 'submission' && each.counts,
  );
  expect(counts).toEqual([true, false]);
});
