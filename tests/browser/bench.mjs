// What the dashboard costs in a real browser before a real assayd, as rows for
// tests/bench/run. The limits are budgets: nothing else may run on the machine.

import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

import { launch } from './browser.mjs';
import { Candidate } from './candidate.mjs';
import { Installation, SAMPLE } from './installation.mjs';
import { LargeStore } from './large_store.mjs';

const DIST = process.env.ASSAY_DASHBOARD_DIST;
const SPANS = 50_000;
const CANDIDATES = 10_000;
const TICKS = 60;

function row(metric, unit, ours, budget) {
  console.log([metric, unit, ours.toFixed(1), 'budget', budget, 1].join('\t'));
}

function p95(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
}

// Scripts that index.html asks for before anything else, compressed.
function firstLoad() {
  const html = fs.readFileSync(path.join(DIST, 'index.html'), 'utf8');
  const names = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)];
  const sizes = names.map(
    ([, name]) => zlib.gzipSync(fs.readFileSync(path.join(DIST, name))).length,
  );
  row('script of the first load, gzip', 'KB', sum(sizes) / 1000, 250);
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

// What the page's main thread worked in each of `count` frames, in milliseconds
// of its own CPU time, as Chromium's trace has it: script, style and layout.
async function frameWork(page, selector, pixels, count) {
  const browser = page.context().browser();
  await browser.startTracing(page, {
    categories: ['toplevel', 'devtools.timeline', 'blink.user_timing'],
  });
  await page.evaluate(
    async ([box, step, frames]) => {
      const scrolled = document.querySelector(box);
      for (let i = 0; i <= frames; i++) {
        performance.mark('bench frame');
        scrolled.scrollTop += step;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    [selector, pixels, count],
  );
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const marks = traceEvents.filter(({ name }) => name === 'bench frame');
  const { pid, tid } = marks[0];
  const tasks = traceEvents.filter(
    (event) =>
      event.name === 'ThreadControllerImpl::RunTask' &&
      event.pid === pid &&
      event.tid === tid,
  );
  if (tasks.length < count) throw new Error(`${tasks.length} tasks traced`);
  return marks.slice(1).map(({ ts }, i) => {
    const during = tasks.filter(
      (task) => task.ts >= marks[i].ts && task.ts < ts,
    );
    return sum(during.map((task) => task.tdur ?? 0)) / 1000;
  });
}

async function firstPaint(page, installation) {
  const { origin, adminToken } = installation;
  await page.goto(`${origin}/#token=${adminToken}`);
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
  const times = [];
  for (let i = 0; i < 5; i++) {
    // Not from the cache: everybody has a first time.
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Network.clearBrowserCache');
    const began = performance.now();
    await page.goto(`${origin}/?${i}`);
    await page.getByRole('link', { name: 'Orders API' }).waitFor();
    times.push(performance.now() - began);
  }
  row('first meaningful paint, worst of 5', 'ms', Math.max(...times), 1000);
}

async function candidates(page, { origin }) {
  await page.goto(`${origin}/assignments/orders-api`);
  const all = String(CANDIDATES + 2);
  await page.getByText(all, { exact: true }).first().waitFor();
  const frames = await frameWork(page, '.table-window', 700, 200);
  row(
    '10,000 candidates, scrolling, main thread p95 a frame',
    'ms',
    p95(frames),
    16,
  );
  const took = [];
  for (const words of ['person42', 'person 99', 'submitted 7', '']) {
    took.push(
      await page.evaluate(async (text) => {
        const field = document.querySelector('input[type=search]');
        const count = document.querySelector('.table-tools [role=status]');
        const before = count.textContent;
        const began = performance.now();
        const set = Object.getOwnPropertyDescriptor(
          HTMLInputElement.prototype,
          'value',
        ).set;
        set.call(field, text);
        field.dispatchEvent(new Event('input', { bubbles: true }));
        while (count.textContent === before)
          await new Promise((resolve) => requestAnimationFrame(resolve));
        return performance.now() - began;
      }, words),
    );
  }
  row('10,000 candidates, a filter, worst of 4', 'ms', Math.max(...took), 200);
}

async function trace(page, { origin }, run, spans) {
  const began = performance.now();
  await page.goto(`${origin}/runs/${run}?tab=trace`);
  await page.getByText(`${spans} spans`).waitFor();
  row('50,000 spans, open', 'ms', performance.now() - began, 1500);
  const frames = await frameWork(page, '.trace', 400, 240);
  row('50,000 spans, panning, main thread p95 a frame', 'ms', p95(frames), 8);
}

// Notes when each `tick NANOSECONDS` of a build is on screen.
function watchTicks() {
  globalThis.ticks = new Map();
  const look = () => {
    for (const [, time] of document.body.innerText.matchAll(/tick (\d{19})/g)) {
      if (!globalThis.ticks.has(time)) globalThis.ticks.set(time, Date.now());
    }
    requestAnimationFrame(look);
  };
  look();
}

// A build that says what time it is, and a page that watches it.
async function logs(page, installation) {
  const carol = new Candidate(installation, 'Carol');
  await carol.begin();
  fs.writeFileSync(
    path.join(carol.work, 'build.sh'),
    `for i in $(seq ${TICKS}); do date '+tick %s%N'; sleep 0.1; done\n`,
  );
  const pushed = carol.push();
  await page.goto(`${installation.origin}/`);
  await page.getByRole('row', { name: /push .* running/ }).waitFor();
  const live = page.getByRole('row', { name: /push .* running/ });
  await live.getByRole('link').first().click();
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.evaluate(watchTicks);
  await pushed;
  const ticks = await page.evaluate(() => [...globalThis.ticks]);
  const took = ticks.map(([made, seen]) => seen - Number(made) / 1e6);
  // Those from before the page was open were late for another reason.
  const live_ones = took.slice(-TICKS / 2);
  if (live_ones.length < TICKS / 2) throw new Error(`${ticks.length} ticks`);
  row('a byte of a log on screen, p95', 'ms', p95(live_ones), 500);
}

// The run of a submission, when it has ended.
async function finalRun(installation) {
  for (;;) {
    const { runs } = installation.assay('run', 'list');
    const run = runs.find(
      ({ kind, state }) => kind === 'KIND_FINAL' && state === 'STATE_FINISHED',
    );
    if (run) return run;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// A submission of the sample that queries in a loop, many times over.
async function fill(installation) {
  const bob = new Candidate(installation, 'Bob');
  await bob.begin();
  const faulty = path.join(SAMPLE, 'solutions/faulty');
  fs.cpSync(faulty, bob.work, { recursive: true });
  await bob.push();
  await bob.submit();
  const run = await finalRun(installation);
  const id = run.name.slice('runs/'.length);
  const told = installation.assay('trace', 'export', id);
  const spans = told.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  );
  return { id, attempt: run.attempt.slice('attempts/'.length), spans };
}

firstLoad();
const installation = new Installation();
await installation.start();
const browser = await launch();
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 860 },
  });
  page.setDefaultTimeout(60_000);
  installation.assay('assignment', 'create', SAMPLE);
  await firstPaint(page, installation);
  await logs(page, installation);
  const { id, attempt, spans } = await fill(installation);
  await installation.stop();
  const store = new LargeStore(path.join(installation.data, 'store.db'));
  store.copyAttempt(attempt, CANDIDATES);
  const count = store.copySpans(id, spans, SPANS);
  store.close();
  await installation.start();
  await candidates(page, installation);
  await trace(page, installation, id, count);
} finally {
  await browser.close();
  await installation.stop();
  installation.remove();
}
