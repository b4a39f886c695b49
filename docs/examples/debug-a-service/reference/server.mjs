// HTTP: what is asked for, and how answers look. Rules are in warehouse.mjs.

import http from 'node:http';

import { Warehouse, NotEnough, NotFound } from './warehouse.mjs';

const MAX_BODY_BYTES = 64 * 1024;
const warehouse = new Warehouse();

class BadRequest extends Error {}

const routes = [
  ['GET', /^\/healthz$/, async () => [200, { status: 'up' }]],
  ['GET', /^\/items$/, async (_, __, query) => [200, await page(query)]],
  ['GET', /^\/items\/([\w-]+)$/, async ([sku]) =>
    [200, await warehouse.item(sku)]],
  ['PUT', /^\/items\/([\w-]+)$/, async ([sku], body) =>
    [201, await warehouse.put(sku, whole(body, 'stock', 0))]],
  ['POST', /^\/items\/([\w-]+)\/reservations$/, async ([sku], body) =>
    [201, await warehouse.reserve(sku, whole(body, 'qty', 1))]],
  ['DELETE', /^\/reservations\/([\w-]+)$/, async ([id]) => {
    await warehouse.cancel(id);
    return [204, null];
  }],
];

async function page(query) {
  const size = positive(query.get('size') ?? '10');
  const number = positive(query.get('page') ?? '1');
  return warehouse.list((number - 1) * size, size);
}

function positive(text) {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new BadRequest();
  return Number(text);
}

function whole(body, name, least) {
  const value = body?.[name];
  if (!Number.isInteger(value) || value < least) throw new BadRequest();
  return value;
}

async function read(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new BadRequest();
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest();
  }
}

async function answer(request) {
  const url = new URL(request.url, 'http://warehouse');
  for (const [method, pattern, handle] of routes) {
    const match = request.method === method && pattern.exec(url.pathname);
    if (!match) continue;
    return handle(match.slice(1), await read(request), url.searchParams);
  }
  throw new NotFound();
}

function statusOf(error) {
  if (error instanceof BadRequest) return 400;
  if (error instanceof NotFound) return 404;
  if (error instanceof NotEnough) return 409;
  return 500;
}

async function serve(request, response) {
  let status;
  let value;
  try {
    [status, value] = await answer(request);
  } catch (error) {
    status = statusOf(error);
    value = { error: status };
    if (status === 500) console.error(error);
  }
  const content = value === null ? '' : JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(content);
}

http.createServer(serve).listen(Number(process.env.PORT), '127.0.0.1');
