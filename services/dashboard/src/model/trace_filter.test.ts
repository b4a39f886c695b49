import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { SpanSchema } from '../gen/assay/otlp/v1/trace_pb';
import { filteredRows, traceFilter } from './trace_filter';
import type { TraceRow } from './trace_tree';

function row(
  name: string,
  duration: number,
  attributes: Record<string, string> = {},
): TraceRow {
  return {
    id: name,
    depth: 0,
    name,
    lane: 'service',
    failed: name.startsWith('bad'),
    start: 0,
    duration,
    self: duration / 2,
    below: 0,
    repeated: 0,
    isFault: false,
    orphan: false,
    attribute: (key) => attributes[key] ?? '',
    span: create(SpanSchema),
  };
}

const ROWS = [
  row('GET /orders', 12, { 'http.response.status_code': '200' }),
  row('bad POST /orders', 40, { 'http.response.status_code': '500' }),
  row('SELECT', 0.3, { 'db.query.text': 'select stock from products' }),
];
const found = (text: string) =>
  ROWS.filter(traceFilter(text).matches).map((each) => each.name);

test('words look into names, in any case', () => {
  expect(found('orders')).toEqual(['GET /orders', 'bad POST /orders']);
  expect(found('"post /orders"')).toEqual(['bad POST /orders']);
  expect(found('')).toHaveLength(3);
});

test('attributes are compared as text and as numbers', () => {
  expect(found('http.response.status_code=200')).toEqual(['GET /orders']);
  expect(found('http.response.status_code>=500')).toEqual(['bad POST /orders']);
  expect(found('http.response.status_code<300')).toEqual(['GET /orders']);
  expect(found('db.query.text~"FROM products"')).toEqual(['SELECT']);
  expect(found('db.query.text!=""')).toEqual(['SELECT']);
});

test('times carry their unit, and terms add up', () => {
  expect(found('duration>10ms duration<0.02s')).toEqual(['GET /orders']);
  expect(found('self<=150us')).toEqual(['SELECT']);
  expect(found('failed lane=service')).toEqual(['bad POST /orders']);
});

test('what cannot be meant is said, and matches nothing', () => {
  expect(traceFilter('duration>fast').problem).toContain('such as 20ms');
  expect(traceFilter('http.method>GET').problem).toContain('=, != and ~');
  expect(found('duration>fast')).toEqual([]);
});

test('what matches keeps what it hangs under, and nothing else', () => {
  const tree = [
    { ...row('run', 9), below: 3 },
    { ...row('check a', 5), depth: 1, below: 1 },
    { ...row('SELECT', 1), depth: 2 },
    { ...row('check b', 2), depth: 1 },
  ];
  const { rows, matched } = filteredRows(tree, traceFilter('select').matches);
  expect(rows.map((each) => each.name)).toEqual(['run', 'check a', 'SELECT']);
  expect([...matched]).toEqual(['SELECT']);
});
