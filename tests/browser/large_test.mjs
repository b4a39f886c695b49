// Outputs and traces that are far larger than what fits on a screen. What they
// cost is counted in the main thread's own CPU time and in elements, so that other
// work on the machine changes nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mainThreadTasks } from './browser.mjs';
import { fill, FINAL_RUN } from './sample_data.mjs';
import { button, goWithin, open, page, picture, server } from './stage.mjs';

// 50 MB of short lines, which are higher than an element may be.
const BYTES = 50_000_000;
const LINE = 'GET /orders 200 3ms\n';
const LINES = BYTES / LINE.length;
const NEEDLE = LINES - 12_345;
const CHUNK = 12_500 * LINE.length;
// Milliseconds of one task: a page that is at work for so long still answers.
const LONGEST = 250;

function largeRun() {
  const name = 'runs/run_large';
  const run = { ...FINAL_RUN, name, state: 'STATE_RUNNING', checks: [] };
  server.putRun(run);
  const chunk = Buffer.from(LINE.repeat(CHUNK / LINE.length));
  const content = chunk.toString('base64');
  for (let offset = 0; offset < BYTES; offset += CHUNK) {
    let own = content;
    const at = (NEEDLE - 1) * LINE.length - offset;
    if (at >= 0 && at < CHUNK) {
      const marked = Buffer.from(chunk);
      marked.write('NEEDLE', at);
      own = marked.toString('base64');
    }
    tell(name, offset, own);
  }
  return name;
}

function tell(name, offset, content) {
  server.tell(name, {
    log: { stream: 'service', offset: String(offset), content },
  });
}

const line = (number) =>
  page.getByRole('link', { name: `Line ${number}`, exact: true });

// Frames without a change.
const AT_REST = 8;

// Waits for a line to stand within the box that scrolls, which has come to rest:
// a line is drawn a moment before it is scrolled to, and what keys have begun
// would go on under whatever scrolls next.
async function isSeen(number) {
  const giveUp = Date.now() + 30_000;
  const place = async () => {
    if ((await line(number).count()) === 0) return null;
    const box = await page.getByRole('log').boundingBox();
    const at = await line(number).boundingBox();
    const seen =
      at && at.y > box.y - 1 && at.y + at.height < box.y + box.height + 1;
    return seen ? at.y : null;
  };
  for (let before = null, still = 0; still < AT_REST;) {
    const now = await place();
    still = now !== null && now === before ? still + 1 : 0;
    before = now;
    assert.ok(
      Date.now() < giveUp,
      `line ${number} does not come to stand in sight`,
    );
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

test('an output of 50 MB is followed, searched and linked without freezing', async () => {
  fill(server);
  const name = largeRun();
  const address = `/${name}?tab=log&output=service`;
  const log = page.getByRole('log');
  const tasks = await mainThreadTasks(page, async () => {
    await open(address);
    await page.getByText(`${LINES} lines`).waitFor({ timeout: 200_000 });
    await isSeen(LINES);

    // It goes on, and is followed.
    tell(name, BYTES, Buffer.from('and one more\n').toString('base64'));
    await isSeen(LINES + 1);

    // By keys to either end, and page by page from there.
    await log.focus();
    await page.keyboard.press('Home');
    await isSeen(1);
    assert.equal(await button('Follow').getAttribute('aria-pressed'), 'false');
    await page.keyboard.press('End');
    await isSeen(LINES + 1);
    await page.keyboard.press('PageUp');
    await line(LINES - 30).waitFor();
    await page.keyboard.press('End');
    await isSeen(LINES + 1);

    // An address of a line, in the middle and at the far end: what keys have
    // begun does not lead away from there.
    for (const number of [LINES / 2, LINES - 99, 7]) {
      await page.keyboard.press('PageUp');
      await page.keyboard.press('PageUp');
      await goWithin(`${address}&line=${number}`);
      await isSeen(number);
    }

    await page.getByLabel('Find in this output').fill('NEEDLE');
    await page.getByText('1 of 1').waitFor();
    await isSeen(NEEDLE);
  });
  await picture('log-50-mb');
  const elements = await log.locator('*').count();
  assert.ok(elements < 600, `${elements} elements are drawn`);
  const longest = Math.max(...tasks);
  assert.ok(longest < LONGEST, `a task of ${longest} ms among ${tasks.length}`);
});

// A pattern of requests with statements below them, as fits into 20,000 spans.
function manySpans(count) {
  const id = (i) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(i + 1, 0);
    return bytes.toString('base64');
  };
  const nanos = (ms) => String(1_772_456_400_000_000_000n + BigInt(ms * 1e6));
  const text = (key, value) => ({ key, value: { stringValue: value } });
  return Array.from({ length: count }, (_, i) => {
    const request = i - (i % 50);
    const isRequest = i === request;
    return {
      spanId: id(i),
      parentSpanId: isRequest ? '' : id(request),
      name: isRequest ? 'GET /orders' : 'SELECT',
      kind: 'SPAN_KIND_CLIENT',
      startTimeUnixNano: nanos(i),
      endTimeUnixNano: nanos(isRequest ? i + 50 : i + 1),
      attributes: isRequest
        ? [text('http.request.method', 'GET')]
        : [
            text('db.system.name', 'postgresql'),
            text('db.query.text', `select status from orders where id = ${i}`),
          ],
    };
  });
}

test('a trace of 20,000 spans draws what is in sight, and no more when it is panned', async () => {
  fill(server);
  const name = 'runs/run_large';
  server.putRun({ ...FINAL_RUN, name, checks: [] });
  const spans = manySpans(20_000);
  for (let i = 0; i < spans.length; i += 1000)
    server.tell(name, { spans: { spans: spans.slice(i, i + 1000) } });
  await open(`/${name}?tab=trace`);
  await page.getByText('20000 spans').waitFor();
  const tree = page.getByRole('treegrid');
  const drawn = () => tree.getByRole('row').count();
  await tree.getByRole('row').first().waitFor();
  assert.ok((await drawn()) < 60, `${await drawn()} rows are drawn`);
  // What is around the rows is not drawn for their sake.
  await page.evaluate(() => {
    globalThis.around = 0;
    const rows = document.querySelector('.trace');
    new MutationObserver((changes) => {
      for (const { target } of changes)
        if (!rows.contains(target)) globalThis.around++;
    }).observe(document.querySelector('main'), {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
  });
  await tree.evaluate(async (box) => {
    for (let i = 0; i < 40; i++) {
      box.scrollTop += 400;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  await tree.locator('[aria-rowindex="620"]').waitFor();
  assert.ok((await drawn()) < 60, `${await drawn()} rows are drawn`);
  assert.equal(await page.evaluate(() => globalThis.around), 0);
  await tree.focus();
  await page.keyboard.press('End');
  await page.getByRole('row', { selected: true }).waitFor();
  await page.keyboard.press('l');
  const lanes = page.getByRole('listbox');
  await lanes.waitFor();
  const group = lanes.getByRole('group', { name: 'database: 19600' });
  assert.ok((await group.locator('*').count()) < 12, 'bars are no elements');
});
