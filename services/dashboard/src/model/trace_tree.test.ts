import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import {
  type Span,
  Span_SpanKind,
  SpanSchema,
} from '../gen/assay/otlp/v1/trace_pb';
import { traceSpans } from './trace_span';
import {
  ancestors,
  criticalPath,
  shapeOf,
  statementGroups,
  traceTree as treeOf,
  visibleRows,
} from './trace_tree';

const traceTree = (spans: Span[]) => treeOf(traceSpans(spans));
const MILLISECOND = 1_000_000n;

function span(
  id: number,
  parent: number,
  start: bigint,
  end: bigint,
  statement = '',
) {
  const eight = (value: number) =>
    value
      ? new Uint8Array([0, 0, 0, 0, 0, 0, value >> 8, value & 255])
      : undefined;
  const text = (key: string, value: string) => ({
    key,
    value: { value: { case: 'stringValue' as const, value } },
  });
  return create(SpanSchema, {
    spanId: eight(id),
    parentSpanId: eight(parent),
    name: `span ${id}`,
    startTimeUnixNano: start * MILLISECOND,
    endTimeUnixNano: end * MILLISECOND,
    attributes: statement
      ? [text('db.system.name', 'postgresql'), text('db.query.text', statement)]
      : [],
  });
}

test('children stand below their parent in the order of their start', () => {
  const tree = traceTree([
    span(3, 1, 30n, 40n),
    span(2, 1, 10n, 20n),
    span(1, 0, 5n, 50n),
    span(4, 2, 11n, 12n),
  ]);
  expect(tree.rows.map((row) => [row.name, row.depth])).toEqual([
    ['span 1', 0],
    ['span 2', 1],
    ['span 4', 2],
    ['span 3', 1],
  ]);
  expect(tree.rows.map((row) => row.below)).toEqual([3, 1, 0, 0]);
  expect(tree.length).toBe(45);
  expect(tree.rows[1]!.start).toBe(5);
});

test('a span whose parent is missing is still shown', () => {
  const { rows } = traceTree([span(2, 9, 0n, 1n), span(1, 0, 0n, 1n)]);
  expect(rows.map((row) => [row.name, row.orphan])).toEqual([
    ['span 2', true],
    ['span 1', false],
  ]);
});

test('a run’s own span names the coordinator’s, and misses nothing', () => {
  const run = { ...span(2, 9, 0n, 1n), name: 'run' };
  const { rows } = traceTree([run, span(1, 2, 0n, 1n)]);
  expect(rows.map((row) => row.orphan)).toEqual([false, false]);
});

test('spans that are each other’s parents are shown, and do not hang the page', () => {
  const { rows } = traceTree([span(1, 2, 0n, 1n), span(2, 1, 0n, 1n)]);
  expect(rows.map((row) => [row.name, row.depth, row.below])).toEqual([
    ['span 1', 0, 1],
    ['span 2', 1, 0],
  ]);
});

test('closing a row hides all that is below it and nothing else', () => {
  const { rows } = traceTree([
    span(1, 0, 0n, 9n),
    span(2, 1, 1n, 5n),
    span(3, 2, 2n, 3n),
    span(4, 1, 6n, 7n),
  ]);
  const seen = visibleRows(rows, new Set([rows[1]!.id]));
  expect(seen.map((row) => row.name)).toEqual(['span 1', 'span 2', 'span 4']);
});

test('one statement with other values counts as repeated', () => {
  const spans: Span[] = [span(1, 0, 0n, 99n)];
  for (let i = 0; i < 20; i++) {
    const start = BigInt(i);
    const statement = `select * from orders where id = '${i}' limit ${i}`;
    spans.push(span(i + 2, 1, start, start + 1n, statement));
  }
  expect(traceTree(spans).rows[0]!.repeated).toBe(20);
  expect(traceTree(spans.slice(0, 4)).rows[0]!.repeated).toBe(0);
  expect(shapeOf("a = 'it''s'  and b=12")).toBe('a = ? and b=?');
});

test('a very deep trace is no problem', () => {
  const spans = Array.from({ length: 20_000 }, (_, i) =>
    span(i + 1, i, BigInt(i), 30_000n),
  );
  expect(traceTree(spans).rows.at(-1)!.depth).toBe(19_999);
});

test("a span's own time leaves out what its children cover, once", () => {
  const tree = traceTree([
    span(1, 0, 0n, 100n),
    span(2, 1, 10n, 40n),
    span(3, 1, 30n, 50n),
    span(4, 1, 90n, 120n),
  ]);
  expect(tree.rows.map((row) => row.self)).toEqual([50, 30, 20, 30]);
});

test('the critical path goes back from the end by what ended last', () => {
  const { rows } = traceTree([
    span(1, 0, 0n, 100n),
    span(2, 1, 0n, 60n),
    span(3, 1, 10n, 30n),
    span(4, 1, 65n, 95n),
    span(5, 4, 70n, 80n),
  ]);
  const names = (at: number) => {
    const path = criticalPath(rows, at);
    return rows.filter((row) => path.has(row.id)).map((row) => row.name);
  };
  expect(names(0)).toEqual(['span 1', 'span 2', 'span 4', 'span 5']);
  expect(names(2)).toEqual(['span 3']);
});

test('a row knows what it hangs under', () => {
  const { rows } = traceTree([
    span(1, 0, 0n, 100n),
    span(2, 1, 0n, 60n),
    span(3, 1, 10n, 30n),
    span(4, 3, 11n, 12n),
  ]);
  expect(ancestors(rows, 3).map((row) => row.name)).toEqual([
    'span 1',
    'span 3',
  ]);
});

test('statements below a request are grouped by their shape', () => {
  const spans = [span(1, 0, 0n, 99n)];
  spans[0]!.kind = Span_SpanKind.CLIENT;
  for (let i = 0; i < 6; i++) {
    const start = BigInt(10 * i);
    const statement = `select * from lines where id = ${i}`;
    spans.push(span(i + 2, 1, start, start + 2n, statement));
  }
  spans.push(span(20, 2, 1n, 2n, 'begin'));
  const { rows } = traceTree(spans);
  expect(statementGroups(rows, 0)).toEqual([
    {
      shape: 'select * from lines where id = ?',
      count: 6,
      total: 12,
      first: rows[1]!.id,
      many: true,
    },
    { shape: 'begin', count: 1, total: 1, first: rows[2]!.id, many: false },
  ]);
  expect(statementGroups(rows, 2)).toEqual([]);
});
