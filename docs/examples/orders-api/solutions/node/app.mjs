// The orders service on nothing but Node.

import http from 'node:http';

import * as accounts from './accounts.mjs';
import * as orders from './orders.mjs';
import { DatabaseError, Pool } from './postgres.mjs';
import { Problem } from './problem.mjs';

const MAX_BODY_BYTES = 64 * 1024;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const database = new Pool(process.env.DATABASE_URL);

async function route(request) {
  const path = request.url.split('?')[0];
  const body = await bodyOf(request);
  switch (`${request.method} ${path}`) {
    case 'GET /healthz':
      await database.query('select 1');
      return [200, { status: 'ok' }];
    case 'POST /auth/register':
      return [201, await accounts.register(database, body)];
    case 'POST /auth/login':
      return [200, await accounts.login(database, body)];
    case 'POST /orders': {
      const order = await orders.create(
        database, customerOf(request), body, keyOf(request));
      return [201, order, { location: `/orders/${order.id}` }];
    }
    case 'GET /orders':
      return [200, {
        orders: await orders.listOf(database, customerOf(request)),
      }];
  }
  if (request.method === 'GET' && path.startsWith('/orders/')) {
    const customer = customerOf(request);
    const id = path.slice('/orders/'.length);
    const order = UUID.test(id) && await orders.get(database, customer, id);
    if (order) return [200, order];
  }
  throw new Problem(404, 'No such resource');
}

function customerOf(request) {
  const match = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '');
  const customer = match && accounts.customerOf(match[1]);
  if (!customer) throw new Problem(401, 'A valid bearer token is needed');
  return customer;
}

function keyOf(request) {
  const key = request.headers['idempotency-key'] ?? null;
  if (key !== null && !UUID.test(key)) {
    throw new Problem(422, 'Idempotency-Key must be a UUID');
  }
  return key;
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Problem(413, 'The body is too large');
    chunks.push(chunk);
  }
  if (size === 0) return null;
  try {
    return JSON.parse(Buffer.concat(chunks));
  } catch {
    throw new Problem(422, 'The body is not JSON');
  }
}

function problemOf(error) {
  if (error instanceof Problem) return error;
  // Messages may quote input, so the log gets the kind alone.
  console.error(`unexpected ${error.code ?? error.name}`);
  if (error instanceof DatabaseError) {
    return new Problem(500, 'Something went wrong');
  }
  return new Problem(503, 'The database does not answer');
}

const server = http.createServer(async (request, response) => {
  let status, value, headers = {};
  try {
    [status, value, headers = {}] = await route(request);
    headers['content-type'] = 'application/json';
  } catch (error) {
    value = problemOf(error);
    status = value.status;
    headers = { 'content-type': 'application/problem+json' };
  }
  console.log(request.method, request.url, status);
  response.writeHead(status, headers).end(JSON.stringify(value));
});

orders.startShipping(database);
server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 128 });
