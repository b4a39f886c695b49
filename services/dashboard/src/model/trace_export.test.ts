import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { SpanSchema } from '../gen/assay/otlp/v1/trace_pb';
import { otlpJson } from './trace_export';
import { traceSpans } from './trace_span';

test('ids are hex, times and whole numbers are strings, kinds are numbers', () => {
  const span = create(SpanSchema, {
    traceId: new Uint8Array(16).fill(0xab),
    spanId: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 9]),
    name: 'GET /orders',
    kind: 3,
    startTimeUnixNano: 1_772_442_000_000_000_001n,
    endTimeUnixNano: 1_772_442_000_000_000_002n,
    attributes: [
      { key: 'rows', value: { value: { case: 'intValue', value: 7n } } },
    ],
    status: { code: 2, message: 'late' },
  });
  const json: unknown = JSON.parse(otlpJson(traceSpans([span])));
  expect(json).toHaveProperty('resourceSpans[0].scopeSpans[0].spans', [
    {
      traceId: 'ab'.repeat(16),
      spanId: '0000000000000009',
      name: 'GET /orders',
      kind: 3,
      startTimeUnixNano: '1772442000000000001',
      endTimeUnixNano: '1772442000000000002',
      attributes: [{ key: 'rows', value: { intValue: '7' } }],
      events: [],
      links: [],
      status: { code: 2, message: 'late' },
    },
  ]);
});
