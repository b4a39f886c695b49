import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { type Span, SpanSchema } from '../gen/assay/otlp/v1/trace_pb';
import { evidenceOf as evidenceOfSpans } from './evidence';
import { traceSpans } from './trace_span';

const evidenceOf = (spans: Iterable<Span>, step: string) =>
  evidenceOfSpans(traceSpans(spans).values(), step);

let at = 0n;
function span(
  id: number,
  parent: number,
  attributes: Record<string, string> = {},
): Span {
  const start = ++at * 10_000_000n;
  return create(SpanSchema, {
    spanId: new Uint8Array([id]),
    parentSpanId: new Uint8Array([parent]),
    startTimeUnixNano: start,
    endTimeUnixNano: start + 2_000_000n,
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: { value: { case: 'stringValue' as const, value } },
    })),
  });
}
const get = { 'http.request.method': 'GET', 'url.path': '/orders' };
const sql = (i: number) => ({ 'db.query.text': `select ${i} from orders` });

test('a step shows its requests and what they ran', () => {
  const spans = [
    span(1, 0),
    span(2, 1, { ...get, 'assay.http.response': 'a: b\n\n[]' }),
    span(3, 2, sql(1)),
    span(4, 2, sql(2)),
    span(5, 2, { 'db.query.text': 'select now()' }),
    span(6, 1, sql(9)),
    span(7, 0, get),
  ];
  const { exchanges, statements, moreExchanges } = evidenceOf(spans, '01');
  expect(exchanges).toHaveLength(1);
  expect(exchanges[0]!.answer).toBe('a: b\n\n[]');
  expect(
    exchanges[0]!.statements.map(({ text, count, milliseconds }) => [
      text,
      count,
      milliseconds,
    ]),
  ).toEqual([
    ['select 1 from orders', 2, 4],
    ['select now()', 1, 2],
  ]);
  expect(statements.map(({ text }) => text)).toEqual(['select 9 from orders']);
  expect(moreExchanges).toBe(0);
});

test('a step may be a request itself', () => {
  const spans = [span(2, 1, get), span(3, 2, sql(1))];
  const { exchanges, statements } = evidenceOf(spans.values(), '02');
  expect(exchanges).toHaveLength(1);
  expect(exchanges[0]!.statements).toHaveLength(1);
  expect(statements).toEqual([]);
});

test('many requests are counted, and circles end', () => {
  const spans = Array.from({ length: 50 }, (_, i) => span(10 + i, 1, get));
  spans.push(span(1, 5), span(5, 1));
  const found = evidenceOf(spans, '01');
  expect(found.exchanges).toHaveLength(20);
  expect(found.moreExchanges).toBe(30);
});

test('what a candidate reports is no evidence', () => {
  const spans = [span(2, 1, { ...get, 'assay.source': 'reported' })];
  expect(evidenceOf(spans, '01').exchanges).toEqual([]);
});
