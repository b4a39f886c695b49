// Quotes of a few companies, for customers with a key.
'use strict';
const http = require('node:http');

const PRICES = new Map([['ACME', 12.5], ['BOLT', 3.25], ['COIL', 99], ['DUST', 0.01]]);

// What the market does, in place of a market.
async function priceOf(symbol) {
  await new Promise(resolve => setTimeout(resolve, 5));
  return PRICES.get(symbol);
}

async function answer(request) {
  if (request.url === '/healthz') return [200, { status: 'ok' }];
  if (request.headers['x-api-key'] !== process.env.API_KEY) return [401, { error: 'a valid key is needed' }];
  const symbol = /^\/quotes\/([A-Z]{1,8})$/.exec(request.url)?.[1];
  const price = symbol && await priceOf(symbol);
  if (price === undefined) return [404, { error: 'no such quote' }];
  return [200, { symbol, price }];
}

http.createServer(async (request, response) => {
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}).listen(process.env.PORT, '127.0.0.1');
