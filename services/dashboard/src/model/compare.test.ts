import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import {
  Span_SpanKind,
  type Span,
  SpanSchema,
} from '../gen/assay/otlp/v1/trace_pb';
import { CheckResultSchema, Verdict } from '../gen/assay/v1/check_pb';
import { compareChecks, compareWork as compareSpans } from './compare';
import { traceSpans } from './trace_span';

const compareWork = (here: Span[], there: Span[]) =>
  compareSpans(traceSpans(here), traceSpans(there));

let number = 0;
function span(name: string, milliseconds: number, statement = ''): Span {
  const spanId = new Uint8Array(8);
  spanId[7] = ++number;
  return create(SpanSchema, {
    spanId,
    name,
    kind: Span_SpanKind.CLIENT,
    startTimeUnixNano: 0n,
    endTimeUnixNano: BigInt(milliseconds * 1e6),
    attributes: statement
      ? [
          { key: 'db.system.name', value: text('postgresql') },
          { key: 'db.query.text', value: text(statement) },
        ]
      : [],
  });
}
function text(value: string) {
  return { value: { case: 'stringValue' as const, value } };
}

test('statements are counted by their shape, the largest difference first', () => {
  const work = compareWork(
    [
      span('GET /orders', 20),
      span('SELECT', 1, 'select 1 where id = 7'),
      span('SELECT', 1, 'select 1 where id = 8'),
    ],
    [span('GET /orders', 90), span('SELECT', 1, 'select 1 where id = 9')],
  );
  expect(
    work.map(({ name, here, there }) => [name, here.count, there.count]),
  ).toEqual([
    ['GET /orders', 1, 1],
    ['select ? where id = ?', 2, 1],
  ]);
});

test('a check that one run lacks is told from one that differs', () => {
  const check = (checkId: string, verdict: Verdict, earned: number) =>
    [
      checkId,
      create(CheckResultSchema, { checkId, title: checkId, verdict, earned }),
    ] as const;
  const rows = compareChecks(
    new Map([check('a', Verdict.PASSED, 5), check('b', Verdict.PASSED, 5)]),
    new Map([check('b', Verdict.FAILED, 0), check('c', Verdict.PASSED, 1)]),
  );
  expect(rows.map(({ id, same }) => [id, same])).toEqual([
    ['a', false],
    ['b', false],
    ['c', false],
  ]);
  expect(rows[0]!.there).toBeUndefined();
});
