// What every test of pages begins with and ends by: a server that the test
// controls, a browser that knows nothing yet, and nothing that went wrong in it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';

import { launch } from './browser.mjs';
import { FakeAssayd, TOKEN } from './fake_assayd.mjs';

const DIST = process.env.ASSAY_DASHBOARD_DIST;
const PICTURES = process.env.ASSAY_SCREENSHOTS;
// Long enough for a machine that does much else; what never comes costs as much.
const PATIENCE = 30_000;

// New for each test.
export let server, origin, context, page;
// Requests to other places, and errors that no code of the page caught.
let wrong;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

beforeEach(async () => {
  server = new FakeAssayd(DIST);
  origin = await server.start();
  context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
  });
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  wrong = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) wrong.push(request.url());
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  await page.addInitScript(() => {
    window.stopped = [];
    document.addEventListener('securitypolicyviolation', (event) =>
      window.stopped.push(`${event.violatedDirective}: ${event.blockedURI}`),
    );
  });
});
afterEach(async () => {
  await context.close();
  await server.stop();
  assert.deepEqual(wrong, []);
});

// A page as somebody with a token comes to it.
export async function open(address) {
  const [bare, query = ''] = address.split('?');
  await page.goto(`${origin}${bare}${query && `?${query}`}#token=${TOKEN}`);
}

// To another page of the dashboard, as its links lead there.
export async function goWithin(address) {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, address);
}

export const button = (name, exact = true) =>
  page.getByRole('button', { name, exact });

// Nothing of the corpus has become more than text, and nothing was tried that
// the content security policy had to stop.
export async function expectHarmless(where) {
  const found = await page.evaluate(() => ({
    hacked: 'hacked' in window,
    elements: document.querySelectorAll(
      'main script, main [onerror], main img[src*="outside"], main a[href*="outside"], ' +
        'main a[href^="javascript" i], main a[href^="data" i], main iframe, main [style*="url("]',
    ).length,
    stopped: window.stopped,
  }));
  assert.deepEqual(
    found,
    { hacked: false, elements: 0, stopped: [] },
    String(where),
  );
}

export async function picture(name) {
  if (!PICTURES) return;
  fs.mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

// A picture of the documentation: written only where it is asked for.
export async function docsPicture(name) {
  const folder = process.env.ASSAY_DOCS_IMAGES;
  if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

// A candidate of this server, as far as `more` says.
export function candidate(more = {}) {
  return {
    name: 'attempts/at_1',
    state: 'STATE_ACCEPTED',
    title: 'Orders API',
    brief: '# Orders API\n\nYou build the order service of a small shop.',
    aiPolicy: 'Use the tools that you would use at work.',
    clock: { duration: '14400s', grace: '120s', accommodation: 1 },
    rules: {
      latePolicy: 'LATE_POLICY_REJECT',
      maxPushBytes: String(16 << 20),
      pushRunsPerHour: 30,
    },
    ...more,
  };
}
