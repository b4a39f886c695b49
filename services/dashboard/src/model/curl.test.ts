import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { SpanSchema } from '../gen/assay/otlp/v1/trace_pb';
import { curlCommand } from './curl';

function request(attributes: Record<string, string>) {
  return create(SpanSchema, {
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: { value: { case: 'stringValue' as const, value } },
    })),
  });
}

test('a request becomes a command', () => {
  expect(
    curlCommand(
      request({
        'http.request.method': 'POST',
        'url.path': '/orders',
        'url.query': 'dry=1',
      }),
    ),
  ).toBe(`curl -i -X 'POST' "$SERVICE"'/orders?dry=1'`);
});

test('nothing in a path reaches the shell', () => {
  expect(
    curlCommand(
      request({ 'http.request.method': 'GET', 'url.path': `/a'$(id)` }),
    ),
  ).toBe(`curl -i "$SERVICE"'/a'\\''$(id)'`);
});

test('what is no request has none', () => {
  expect(curlCommand(request({ 'db.query.text': 'select 1' }))).toBe('');
});
