// Quotes of a few companies, for customers with a key.
'use strict';
const { shutdown } = require('./telemetry.cjs');
const http = require('node:http');
const { metrics, trace, SpanStatusCode } = require('@opentelemetry/api');
const { logs, SeverityNumber } = require('@opentelemetry/api-logs');

const PRICES = new Map([['ACME', 12.5], ['BOLT', 3.25], ['COIL', 99], ['DUST', 0.01]]);

const tracer = trace.getTracer('quotes');
const served = metrics.getMeter('quotes').createCounter('quotes.served', {
  description: 'Quotes that were answered with a price',
});
const log = logs.getLogger('quotes');

// What the market does, in place of a market.
function priceOf(symbol) {
  return tracer.startActiveSpan('price', { attributes: { 'quote.symbol': symbol } }, async span => {
    try {
      await new Promise(resolve => setTimeout(resolve, 5));
      const price = PRICES.get(symbol);
      if (price === undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: 'no such quote' });
      return price;
    } finally {
      span.end();
    }
  });
}

function say(severityText, body, attributes) {
  log.emit({ severityNumber: SeverityNumber[severityText], severityText, body, attributes });
}

async function answer(request) {
  if (request.url === '/healthz') return [200, { status: 'ok' }];
  if (request.headers['x-api-key'] !== process.env.API_KEY) {
    say('WARN', 'key refused');
    return [401, { error: 'a valid key is needed' }];
  }
  const symbol = /^\/quotes\/([A-Z]{1,8})$/.exec(request.url)?.[1];
  const price = symbol && await priceOf(symbol);
  if (price === undefined) return [404, { error: 'no such quote' }];
  served.add(1, { symbol });
  say('INFO', 'quote served', { 'quote.symbol': symbol });
  return [200, { symbol, price }];
}

http.createServer(async (request, response) => {
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}).listen(process.env.PORT, '127.0.0.1');

process.on('SIGTERM', () => shutdown().finally(() => process.exit(0)));
