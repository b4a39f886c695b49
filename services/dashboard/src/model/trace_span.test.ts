import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import {
  type Span,
  Span_SpanKind,
  SpanSchema,
} from '../gen/assay/otlp/v1/trace_pb';
import { RunEventSchema } from '../gen/assay/v1/run_pb';
import { otlpJson } from './trace_export';
import { TraceSpans, traceSpans } from './trace_span';
import { traceTree } from './trace_tree';

const START = 1_772_442_000_000_000_001n;
const text = (value: string) => ({
  value: { case: 'stringValue' as const, value },
});

function spans(): Span[] {
  const eight = (id: number) => new Uint8Array([255, 0, 0, 0, 0, 0, 9, id]);
  const of = (
    id: number,
    more: Parameters<typeof create<typeof SpanSchema>>[1],
  ) =>
    create(SpanSchema, {
      traceId: new Uint8Array(16).fill(7),
      spanId: eight(id),
      startTimeUnixNano: START + BigInt(id) * 1000n,
      endTimeUnixNano: START + BigInt(id) * 1000n + 10_000_000_000n,
      ...more,
    });
  return [
    of(1, { name: 'run \x1b[31m\u202e' }),
    of(2, {
      parentSpanId: eight(1),
      name: 'GET /é',
      kind: Span_SpanKind.CLIENT,
      attributes: [
        {
          key: 'http.response.status_code',
          value: { value: { case: 'intValue', value: 500n } },
        },
        { key: 'service.name', value: text('not a fact, of a fact’s length') },
      ],
      events: [{ name: 'retried', timeUnixNano: START }],
      status: { code: 2, message: 'late' },
    }),
    of(3, {
      parentSpanId: eight(2),
      name: 'SELECT',
      attributes: [
        { key: 'db.system.name', value: text('postgresql') },
        { key: 'db.query.text', value: text('select 1') },
        { key: 'db.query.text', value: text('the first one counts') },
      ],
    }),
    of(4, {
      parentSpanId: eight(9),
      name: 'theirs',
      attributes: [{ key: 'assay.source', value: text('reported') }],
    }),
    of(5, {
      attributes: [{ key: 'assay.fault.action', value: text('latency') }],
    }),
  ];
}

function fromBytes(): TraceSpans {
  const all = new TraceSpans();
  const event = create(RunEventSchema, {
    sequence: 7n,
    event: { case: 'spans', value: { spans: spans(), dropped: 4n } },
  });
  expect(all.addEvent(toBinary(RunEventSchema, event))).toBe(4);
  return all;
}

const shown = (
  from: Iterable<
    Parameters<typeof traceTree>[0] extends Iterable<infer T> ? T : never
  >,
) =>
  traceTree(from).rows.map(
    ({ id, depth, name, lane, failed, isFault, start, duration, self }) => ({
      id,
      depth,
      name,
      lane,
      failed,
      isFault,
      start,
      duration,
      self,
    }),
  );

test('a span that is read from its bytes is the one that was written', () => {
  const read = shown(fromBytes().values());
  expect(read).toEqual(shown(traceSpans(spans())));
  expect(read.map(({ name, lane }) => [name, lane])).toEqual([
    ['run ⟨U+202E⟩', 'runner'],
    ['GET /é', 'service'],
    ['select 1', 'database'],
    ['theirs', 'reported'],
    ['', 'runner'],
  ]);
  expect(read[1]!.start).toBeCloseTo(0.001, 9);
  expect(read[1]!.duration).toBe(10_000);
});

test('an attribute is found before and after the whole span was read', () => {
  const [, request] = [...fromBytes().values()];
  for (let i = 0; i < 2; i++) {
    expect(request!.attribute('http.response.status_code')).toBe('500');
    expect(request!.attribute('missing', 'service.name')).toMatch(
      /^not a fact/,
    );
    expect(request!.attribute('servicé.name')).toBe('');
    expect(request!.whole.events[0]!.name).toBe('retried');
  }
});

test('what is exported is what came', () => {
  expect(otlpJson(fromBytes().values())).toBe(otlpJson(traceSpans(spans())));
});
