import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { Verdict } from '../gen/assay/v1/check_pb';
import {
  RunEventSchema,
  RunSchema,
  Run_Outcome,
  Run_State,
} from '../gen/assay/v1/run_pb';
import { RunModel } from './run_model';

type Content = MessageInitShape<typeof RunEventSchema>['event'];

function event(sequence: bigint, content: Content, epoch = 1n) {
  return create(RunEventSchema, { sequence, epoch, event: content });
}

function log(text: string, offset = 0n): Content {
  const content = new TextEncoder().encode(text);
  return { case: 'log', value: { stream: 'service', offset, content } };
}

function passed(checkId: string): Content {
  return {
    case: 'checkFinished',
    value: { result: { checkId, verdict: Verdict.PASSED } },
  };
}

test('an event that comes twice counts once', () => {
  const model = new RunModel();
  model.takeEvent(event(1n, log('one\n')));
  model.takeEvent(event(1n, log('one\n')));
  expect(model.logs.get('service')?.text(0)).toBe('one');
  expect(model.logs.get('service')?.count).toBe(1);
  expect(model.sequence).toBe(1n);
});

test('a record that breaks off says so', () => {
  const model = new RunModel();
  model.takeEvent(event(1n, log('one\n')));
  model.takeEvent(
    event(2n, {
      case: 'stateChanged',
      value: { state: Run_State.FINISHED },
    }),
  );
  expect(model.logs.get('service')?.note).toBe(
    'The record is incomplete: it ends after 4 bytes.',
  );
});

test('the last word of a worker closes what it left open', () => {
  const model = new RunModel();
  model.takeEvent(event(1n, log('one\n')));
  model.takeEvent(
    event(2n, {
      case: 'finished',
      value: { outcome: Run_Outcome.COMPLETED },
    }),
  );
  model.takeEvent(
    event(3n, {
      case: 'stateChanged',
      value: { state: Run_State.FINISHED },
    }),
  );
  expect(model.logs.get('service')?.note).toBe('');
});

test('a running check is pending until its result is there', () => {
  const model = new RunModel();
  const started = { checkId: 'a', title: 'A', hidden: false };
  model.takeEvent(event(1n, { case: 'checkStarted', value: started }));
  expect(model.pending?.id).toBe('a');
  model.takeEvent(event(2n, passed('a')));
  expect(model.pending).toBeNull();
  expect(model.checks.get('a')?.verdict).toBe(Verdict.PASSED);
});

test('what a lost lease said is void once the next one speaks', () => {
  const model = new RunModel();
  model.takeEvent(event(1n, passed('a')));
  model.takeEvent(event(2n, log('old\n')));
  model.takeEvent(event(3n, log('new\n'), 2n));
  expect(model.checks.size).toBe(0);
  expect(model.logs.get('service')?.text(0)).toBe('new');
  expect(model.logs.get('service')?.count).toBe(1);
});

test('telling the history of a finished run does not make it run again', () => {
  const model = new RunModel();
  model.takeSnapshot(
    create(RunSchema, {
      state: Run_State.FINISHED,
      outcome: Run_Outcome.COMPLETED,
      score: { earned: 75, max: 100 },
    }),
  );
  const running = { state: Run_State.RUNNING };
  model.takeEvent(event(1n, { case: 'stateChanged', value: running }));
  expect(model.run?.state).toBe(Run_State.FINISHED);
  expect(model.run?.score?.earned).toBe(75);
});

test('a live run takes its state and score from events', () => {
  const model = new RunModel();
  model.takeSnapshot(create(RunSchema, { state: Run_State.RUNNING }), 5n);
  const done = { state: Run_State.FINISHED, score: { earned: 1, max: 2 } };
  model.takeEvent(event(5n, { case: 'stateChanged', value: done }));
  expect(model.finished).toBe(false);
  model.takeEvent(event(6n, { case: 'stateChanged', value: done }));
  expect(model.finished).toBe(true);
  expect(model.run?.score?.earned).toBe(1);
});
