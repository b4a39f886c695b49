import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { SpanSchema } from '../gen/assay/otlp/v1/trace_pb';
import { curlCommand, messageOf } from './curl';

function request(attributes: Record<string, string>) {
  return create(SpanSchema, {
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: { value: { case: 'stringValue' as const, value } },
    })),
  });
}

const post = (evidence: string, path = '/orders') =>
  curlCommand(
    request({
      'http.request.method': 'POST',
      'url.path': path,
      'assay.http.request': evidence,
    }),
  );

// What a server gets of a command, run by a shell.
async function sent(command: string, variables: Record<string, string> = {}) {
  const got: { request?: IncomingMessage; body: string } = { body: '' };
  const server = createServer((incoming, answer) => {
    got.request = incoming;
    incoming.setEncoding('utf8').on('data', (some) => (got.body += some));
    incoming.on('end', () => answer.end('ok'));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const env = {
    PATH: process.env.PATH!,
    SERVICE: `http://127.0.0.1:${port}`,
    ...variables,
  };
  try {
    await new Promise<void>((done, fail) =>
      execFile('bash', ['-c', `${command} --noproxy '*'`], { env }, (error) =>
        error ? fail(new Error(error.message)) : done(),
      ),
    );
  } finally {
    server.close();
  }
  const { method, url, headers } = got.request!;
  return { method, url, headers, body: got.body };
}

test('a command sends what the run sent', async () => {
  const body = '{"note": "it\'s $(id) `id` \\n",\n "rtl": "\u202e", "t": "\t"}';
  const got = await sent(
    post(
      'content-type: application/json\nidempotency-key: k-1\nx-empty: \n' +
        `authorization: [hidden]\nhost: 127.0.0.1:8080\n\n${body}`,
      '/a/../orders',
    ),
    { AUTHORIZATION: 'Bearer t' },
  );
  expect(got.method).toBe('POST');
  expect(got.url).toBe('/a/../orders');
  expect(got.body).toBe(body);
  expect(got.headers['content-type']).toBe('application/json');
  expect(got.headers['idempotency-key']).toBe('k-1');
  expect(got.headers['x-empty']).toBe('');
  expect(got.headers.authorization).toBe('Bearer t');
  expect(got.headers.host).not.toBe('127.0.0.1:8080');
});

test('no type is made up, and a request without a body has none', async () => {
  const typeless = await sent(post('\nraw'));
  expect(typeless.headers['content-type']).toBeUndefined();
  expect(typeless.body).toBe('raw');
  const bare = await sent(
    curlCommand(
      request({
        'http.request.method': 'GET',
        'url.path': '/orders',
        'url.query': 'ids[]=1&q={a}',
        'assay.http.request': 'accept: application/json\n',
      }),
    ),
  );
  expect(bare.method).toBe('GET');
  expect(bare.url).toBe('/orders?ids[]=1&q={a}');
  expect(bare.headers.accept).toBe('application/json');
  expect(bare.body).toBe('');
});

test('fields of a form go one by one', async () => {
  const got = await sent(
    post('content-type: multipart/form-data\n\ntitle=<a & b>\nmail=a@b.c\n'),
  );
  expect(got.headers['content-type']).toMatch(/^multipart\/form-data; bound/);
  expect(got.body).toContain('name="title"\r\n\r\n<a & b>\r\n');
  expect(got.body).toContain('name="mail"\r\n\r\na@b.c\r\n');
});

// What `assay trace evidence` says, too: its test reads the same table.
const CASES = JSON.parse(
  readFileSync('../../tests/services/cli/curl_cases.json', 'utf8'),
) as { name: string; attributes: Record<string, string>; curl: string }[];

test.each(CASES)('the command of $name', ({ attributes, curl }) => {
  expect(curlCommand(request(attributes))).toBe(curl);
});

test('a message is taken apart', () => {
  expect(messageOf('a: b\nc: d\n')).toEqual({
    headers: [
      ['a', 'b'],
      ['c', 'd'],
    ],
    body: '',
  });
  expect(messageOf('a: b\n\nx\n\ny')).toEqual({
    headers: [['a', 'b']],
    body: 'x\n\ny',
  });
  expect(messageOf('\nx')).toEqual({ headers: [], body: 'x' });
  expect(messageOf('')).toEqual({ headers: [], body: '' });
});
