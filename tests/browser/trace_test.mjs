// The trace of a run: as a tree, in lanes, on its map and as a table.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { fill, FINAL_RUN } from './sample_data.mjs';
import { open, page, picture, server } from './stage.mjs';

test('a trace is filtered, walked to its failures, and taken elsewhere', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}?tab=trace`);
  const filter = page.getByLabel('Filter spans');
  await filter.fill('lane=database duration>=3ms');
  await page.getByText(/^20 of \d+ spans match$/).waitFor();
  await page.getByRole('row', { name: /GET \/orders/ }).waitFor();
  assert.equal(await page.getByRole('row', { name: 'build' }).count(), 0);
  assert.deepEqual(await axeViolations(page), []);
  await picture('run-trace-filter');
  await filter.fill('duration>soon');
  await page.getByText('such as 20ms').waitFor();
  await filter.fill('');
  // Keys walk the rows that are drawn: first all of them again.
  await page.getByRole('row', { name: 'build' }).first().waitFor();

  const grid = page.getByRole('treegrid');
  await grid.focus();
  await page.keyboard.press('f');
  await page.getByRole('heading', { name: 'check never-oversells' }).waitFor();
  // The last row is drawn when it comes into sight.
  await page.keyboard.press('End');
  await page.locator('[role=row][aria-selected=true]').waitFor();
  const last = await page
    .locator('[role=row][aria-selected=true]')
    .boundingBox();
  const box = await grid.boundingBox();
  assert.ok(last.y >= box.y && last.y < box.y + box.height, 'it is in sight');

  const file = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const json = JSON.parse(fs.readFileSync(await (await file).path(), 'utf8'));
  const { spans } = json.resourceSpans[0].scopeSpans[0];
  assert.ok(spans.some((span) => span.name === 'GET /orders'));
  assert.match(spans[0].spanId, /^[0-9a-f]{16}$/);
});

test('a check leads to its spans, and a request to what repeats it', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}?tab=trace`);
  await page.getByRole('button', { name: 'failed few-queries' }).click();
  await page.getByRole('heading', { name: 'check few-queries' }).waitFor();
  await page.getByRole('row', { name: /GET \/orders/ }).click();
  await page.getByText('assay.yaml:224:9').waitFor();
  await page.getByText(`"$AUTHORIZATION" "$SERVICE"'/orders'`).waitFor();
  const above = page.locator('.span-details .crumbs');
  await above.getByRole('button', { name: 'check few-queries' }).click();
  await page.getByRole('heading', { name: 'check few-queries' }).waitFor();
  await picture('run-trace-check');
});

test('a trace is read as a table, and says what of it is missing', async () => {
  fill(server);
  server.tell(FINAL_RUN.name, {
    spans: {
      dropped: '7',
      spans: [
        {
          spanId: Buffer.from('0000ffff00000000', 'hex').toString('base64'),
          parentSpanId: Buffer.from('0000fffe00000000', 'hex').toString(
            'base64',
          ),
          name: 'GET /theirs',
          startTimeUnixNano: '1772456400000000000',
          endTimeUnixNano: '1772456400001000000',
          attributes: [
            { key: 'assay.source', value: { stringValue: 'reported' } },
          ],
        },
      ],
    },
  });
  await open(`/${FINAL_RUN.name}?tab=trace`);
  await page.getByText('1 name a parent that is not here').waitFor();
  await page.getByRole('button', { name: 'As a table' }).click();
  const table = page.getByRole('region', { name: 'Spans as a table' });
  const row = table.getByRole('row').filter({ hasText: 'GET /theirs' });
  await row.getByText('reported by the service').waitFor();
  await row.getByRole('button').click();
  await page.getByRole('region', { name: 'Chosen span' }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await picture('run-trace-table');
});

test('a part of the run is chosen by dragging over its map', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}?tab=trace`);
  const bar = page.getByRole('row', { name: /^▾?check few/ }).locator('.bar');
  const before = (await bar.boundingBox()).width;
  const map = await page.locator('.trace-map').boundingBox();
  await page.mouse.move(map.x + map.width * 0.8, map.y + 20);
  await page.mouse.down();
  await page.mouse.move(map.x + map.width * 0.95, map.y + 20, { steps: 4 });
  await page.mouse.up();
  await page.getByRole('button', { name: 'Whole run' }).waitFor();
  assert.ok((await bar.boundingBox()).width > 4 * before);
  await page.getByRole('button', { name: 'Whole run' }).click();
  assert.ok(Math.abs((await bar.boundingBox()).width - before) < 1);
});

// Whether something was drawn in the middle of an element, of which the page
// shows a canvas below.
const isPainted = (mark) =>
  mark.evaluate((element) => {
    const canvas = element.parentElement.querySelector('canvas');
    const [on, at] = [canvas, element].map((each) =>
      each.getBoundingClientRect(),
    );
    const scale = canvas.width / on.width;
    const [x, y] = [
      (at.x + at.width / 2 - on.x) * scale,
      (at.y + at.height / 2 - on.y) * scale,
    ];
    return canvas.getContext('2d').getImageData(x, y, 1, 1).data[3] > 0;
  });

test('who was at work stands in lanes on one clock, by keys and by pointer', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}?tab=trace`);
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('l');
  const lanes = page.getByRole('listbox', { name: 'Spans in lanes' });
  await lanes.waitFor();
  assert.ok(await lanes.evaluate((box) => box === document.activeElement));
  const names = await lanes
    .getByRole('group')
    .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
  assert.match(names[0], /^runner: 14 phases, checks and steps/);
  assert.equal(names[1], 'service: 1 request, at work for 90 ms');
  assert.equal(names[2], 'reported: no spans of its own');
  assert.equal(names[3], 'database: 20 statements, at work for 60 ms');

  const chosen = lanes.getByRole('option');
  const isAt = (name) => lanes.getByRole('option', { name }).waitFor();
  await page.keyboard.press('ArrowDown');
  await isAt(/^run, /);
  // The request began after every statement had not: the first one is next.
  await page.keyboard.press('ArrowDown');
  await isAt(/^GET \/orders, starts after 7.30 s/);
  await page.keyboard.press('ArrowDown');
  await isAt(/o\.id = '0', starts/);
  await page.keyboard.press('ArrowRight');
  await isAt(/o\.id = '1', starts/);
  assert.equal(await chosen.getAttribute('aria-posinset'), '2');
  assert.equal(await chosen.getAttribute('aria-setsize'), '20');
  await page.getByRole('heading', { name: "o.id = '1'" }).waitFor();
  for (let i = 0; i < 6; i++) await page.keyboard.press('+');
  const mark = await chosen.boundingBox();
  assert.ok(mark.width > 10, `it is ${mark.width} pixels wide`);
  assert.ok(await isPainted(chosen), 'its bar is below the mark');

  // One is chosen where its bar is, and time moves under the pointer.
  await page.keyboard.press('ArrowRight');
  await isAt(/o\.id = '2', starts/);
  const third = await chosen.boundingBox();
  assert.ok(third.x > mark.x);
  const y = mark.y + mark.height / 2;
  await page.mouse.click(mark.x + mark.width / 2, y);
  await isAt(/o\.id = '1', starts/);
  await page.mouse.move(mark.x, y);
  await page.mouse.down();
  await page.mouse.move(mark.x - 60, y, { steps: 3 });
  await page.mouse.up();
  assert.ok(Math.abs((await chosen.boundingBox()).x - mark.x + 60) < 1.5);
  await page.keyboard.press('Shift+ArrowLeft');
  assert.ok((await chosen.boundingBox()).x > mark.x);

  await page.getByRole('button', { name: 'As a table' }).click();
  const table = page.getByRole('region', { name: 'Spans as a table' });
  await table.getByRole('rowheader', { name: /^service: 1 request/ }).waitFor();
  await page.getByLabel('Filter spans').fill('lane=database');
  await table.getByRole('button', { name: 'build' }).waitFor({
    state: 'detached',
  });
  assert.equal(await table.getByRole('button').count(), 20);
});

test('a load is a histogram with its slowest requests, a fault a band', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}?tab=trace`);
  // Rows are drawn when they come into sight.
  const tree = page.getByRole('treegrid');
  await tree.evaluate((box) => (box.scrollTop = box.scrollHeight));
  await page.getByRole('row', { name: /load \/stock/ }).click();
  await page.getByText('· p99 9.80 ms').waitFor();
  assert.equal(await page.locator('.load rect').count(), 4);
  assert.ok((await page.locator('.fault-band').count()) > 0);
  assert.deepEqual(await axeViolations(page), []);
  await picture('run-trace-load');
  const slowest = page.locator('.exemplars');
  await slowest.getByRole('button', { name: '9.8 ms' }).click();
  await page.getByText('assay.load.request').waitFor();
});
