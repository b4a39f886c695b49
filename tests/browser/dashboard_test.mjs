// The dashboard in a real browser, against a server that the test controls.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { INVITATION, PASSWORD, TOKEN, worker } from './fake_assayd.mjs';
import {
  CHECKS,
  fill,
  FINAL_RUN,
  HOSTILE,
  LIVE_RUN,
  manyCandidates,
} from './sample_data.mjs';
import {
  candidate,
  docsPicture,
  goWithin,
  open,
  origin,
  page,
  picture,
  server,
} from './stage.mjs';

test('a wrong token is refused with a sentence, a right one opens the page', async () => {
  fill(server);
  await page.goto(origin);
  await page.getByRole('button', { name: 'Sign in with a token' }).click();
  await page.getByLabel('Your token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('This token is not known here').waitFor();
  await page.getByLabel('Your token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Assignments' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
});

test('a password signs in by a cookie that no script can read', async () => {
  fill(server);
  await page.goto(origin);
  await page.getByLabel('Name').fill('grace');
  await page.getByLabel('Password').fill('wrong password');
  await page.keyboard.press('Enter');
  await page.getByText('The name or the password is wrong').waitFor();
  await picture('sign-in');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
  await page.getByRole('link', { name: 'grace author' }).waitFor();
  const readable = await page.evaluate(
    () => document.cookie + Object.values(localStorage).join(' '),
  );
  assert.ok(!readable.includes('known'), readable);
  await page.reload();
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  assert.ok(server.requests.some((path) => path.endsWith('/SignOut')));
});

test('an observer sees numbers, and no candidate or run', async () => {
  fill(server);
  server.self = { role: 'ROLE_OBSERVER', label: 'board' };
  await open('/assignments/orders-api');
  await page.getByRole('tab', { name: 'Statistics' }).waitFor();
  await page.getByText('62.5 %').waitFor();
  assert.equal(await page.getByRole('tab', { name: 'Candidates' }).count(), 0);
  assert.ok(!server.requests.some((path) => path.endsWith('ListCandidates')));
  assert.deepEqual(await axeViolations(page), []);
});

test('a token in the address signs in and leaves the address', async () => {
  fill(server);
  await open('/');
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
  assert.equal(page.url(), `${origin}/`);
});

test('an empty installation says what to do', async () => {
  server.workers = [];
  await open('/');
  await page.getByText('assay assignment create').waitFor();
  await page.getByText('No runs yet').waitFor();
  await page.getByText('No worker is attached').waitFor();
  await picture('empty');
});

test('a new run appears and changes without a reload', async () => {
  fill(server);
  await open('/');
  const rows = page.getByRole('row');
  await rows.filter({ hasText: 'completed' }).waitFor();
  await picture('home');
  const name = 'runs/run_new';
  const run = {
    ...LIVE_RUN,
    name,
    state: 'STATE_QUEUED',
    queueTime: new Date().toISOString(),
  };
  server.putRun(run);
  await rows.filter({ hasText: 'run_new' }).getByText('queued').waitFor();
  const score = { earned: 100, max: 100 };
  server.putRun({
    ...run,
    state: 'STATE_FINISHED',
    outcome: 'OUTCOME_COMPLETED',
    score,
  });
  await rows.filter({ hasText: 'run_new' }).getByText('100 / 100').waitFor();
  assert.match(
    await rows.nth(1).textContent(),
    /run_new/,
    'the newest comes first',
  );
});

test('an invitation and a start appear without a reload', async () => {
  fill(server);
  await open('/assignments/orders-api');
  await page.locator('.table-window').waitFor();
  server.candidates.push({
    ...server.candidates[0],
    invitation: 'invitations/inv_new',
    candidateName: 'Grace H.',
  });
  server.tellLists();
  await page.getByRole('row').filter({ hasText: 'Grace H.' }).waitFor();
  await open('/');
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
  const { assignments } = server;
  const assignment = assignments.get('assignments/orders-api');
  assignments.set(assignment.name, { ...assignment, attemptCount: 4711 });
  server.tellLists();
  await page.getByText('4711').first().waitFor();
});

test('a finished run shows checks, log and trace', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}`);
  await page.getByText('75 / 100').waitFor();
  await page.getByText('found 31 × 201').first().waitFor();
  await picture('run-checks');

  await page.getByRole('tab', { name: 'Log' }).click();
  await page.getByText('"POST /orders HTTP/1.1" 201 - 399').waitFor();
  await page.getByLabel('Output of').selectOption('build');
  await page.getByText('compiled 7 files').waitFor();

  await page.getByRole('tab', { name: /Trace/ }).click();
  await page.getByText('same statement × 20').waitFor();
  const oversold = page.getByRole('row', { name: /never-oversells/ });
  await oversold.locator('.twist').click();
  await page.getByRole('row', { name: /GET \/orders/ }).click();
  await page.getByText('http.response.status_code').waitFor();
  const bar = page.getByRole('row', { name: /GET \/orders/ }).locator('.bar');
  const before = (await bar.boundingBox()).width;
  await page.getByRole('button', { name: 'Zoom to this span' }).click();
  assert.ok(
    (await bar.boundingBox()).width > 10 * before,
    'it fills the width',
  );
  await picture('run-trace');
  await page.locator('.tabs').evaluate((tabs) => tabs.scrollIntoView());
  await docsPicture('trace');
  assert.match(page.url(), /tab=trace$/, 'the address leads back here');
});

test('an output can be searched, and a line of it sent to others', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}?tab=log`);
  const find = page.getByLabel('Find in this output');
  await find.fill('201 - 39');
  await page.getByText('1 of 11').waitFor();
  await find.press('Enter');
  await page.getByText('2 of 11').waitFor();
  const at = page.locator('.log-line.at');
  await at.filter({ hasText: '201 - 390' }).waitFor();
  assert.equal(await at.locator('mark').textContent(), '201 - 39');
  const line = Number(await at.getByRole('link').textContent());
  await at.getByRole('link').click();
  assert.match(page.url(), new RegExp(`output=service&line=${line}$`));

  await page.reload();
  const marked = page.locator('.log-line.marked');
  await marked.filter({ hasText: '201 - 390' }).waitFor();
  const box = await marked.boundingBox();
  const log = await page.getByRole('log').boundingBox();
  assert.ok(box.y > log.y && box.y < log.y + log.height, 'it is in sight');
  const file = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  assert.equal((await file).suggestedFilename(), 'service.log');
});

test("a program's colours are kept, and none of them can hide its text", async () => {
  fill(server);
  const { name } = LIVE_RUN;
  await open(`/${name}?tab=log`);
  const text =
    '\x1b[32mgreen\x1b[0m \x1b[38;2;0;0;0;48;2;0;0;0mcovert\x1b[0m\n';
  server.tell(name, {
    log: {
      stream: 'build',
      offset: '0',
      content: Buffer.from(text).toString('base64'),
    },
  });
  const color = (word) =>
    page
      .getByText(word, { exact: true })
      .evaluate((piece) => getComputedStyle(piece).color);
  const [green, covert] = [await color('green'), await color('covert')];
  const ink = await page.evaluate(() => getComputedStyle(document.body).color);
  assert.notEqual(green, ink);
  assert.equal(covert, ink);
});

test('an output that is no UTF-8 says so', async () => {
  fill(server);
  const { name } = LIVE_RUN;
  await open(`/${name}?tab=log`);
  const tell = (offset, bytes) =>
    server.tell(name, {
      log: {
        stream: 'build',
        offset: String(offset),
        content: Buffer.from(bytes, 'latin1').toString('base64'),
      },
    });
  tell(0, 'plain\n');
  await page.getByText('plain').waitFor();
  assert.equal(await page.getByText('no UTF-8').count(), 0);
  tell(6, 'caf\xe9\n');
  await page.getByText('caf\ufffd').waitFor();
  await page.getByText('Some of its bytes are no UTF-8').waitFor();
});

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

test('two runs stand beside each other', async () => {
  fill(server);
  const other = { ...FINAL_RUN, name: 'runs/run_other', checks: [] };
  server.putRun(other);
  server.tell(other.name, { checkFinished: { result: CHECKS[0] } });
  server.tell(other.name, {
    checkFinished: {
      result: { ...CHECKS[3], verdict: 'VERDICT_PASSED', earned: 15 },
    },
  });
  await open(`/${FINAL_RUN.name}?tab=compare`);
  await page.getByText('No other run chosen').waitFor();
  await page.getByLabel('Compare with').selectOption(other.name);
  await page.getByText('4 of 5 checks differ').waitFor();
  await page.getByText('select o.id, o.status from orders').waitFor();
  assert.match(page.url(), /with=runs%2Frun_other/);
  assert.deepEqual(await axeViolations(page), []);
  await picture('run-compare');
});

test('the reference solution is pushed, graded and offered first to compare with', async () => {
  fill(server);
  // There is none: said where it is missed, and how to make one.
  await open(`/${FINAL_RUN.name}?tab=compare`);
  await page.getByText('has no reference solution yet').waitFor();
  await page.getByRole('link', { name: 'pushes one' }).click();
  await page.getByText('assay assignment reference orders-api').waitFor();
  await page.getByRole('button', { name: 'Push it by git' }).click();
  await page.getByText('git clone http://author@127.0.0.1/git/').waitFor();
  await page.getByText('asy_reference').waitFor();
  assert.deepEqual(await axeViolations(page), []);

  const run = {
    ...FINAL_RUN,
    name: 'runs/run_reference',
    attempt: 'attempts/att_ref',
    kind: 'KIND_REFERENCE',
    commit: 'd'.repeat(40),
    score: { earned: 100, max: 100 },
  };
  server.putRun({ ...LIVE_RUN, name: 'runs/run_older' });
  server.putRun(run);
  server.reference = {
    attempt: run.attempt,
    push: { newCommit: run.commit, receiveTime: run.queueTime },
    version: 1,
    run,
    latestRun: run,
  };
  await open('/assignments/orders-api?tab=task');
  const box = page.getByRole('region', { name: 'Reference solution' });
  await box.getByText('100 / 100').waitFor();
  await box.getByText('dddddddd').waitFor();
  await picture('reference');
  await box.getByRole('button', { name: 'Grade it again' }).click();
  await box.getByText('queued').waitFor();
  const again = box.getByRole('button', { name: 'Grade it again' });
  assert.equal(await again.count(), 0, 'one run is enough');

  server.referenceVersions = [];
  await open(`/${FINAL_RUN.name}?tab=compare`);
  const options = page.getByLabel('Compare with').locator('option');
  await options.filter({ hasText: 'Reference' }).waitFor({ state: 'attached' });
  assert.match(await options.nth(1).textContent(), /^Reference, dddddddd/);
  assert.equal(await options.filter({ hasText: 'dddddddd' }).count(), 1);
  assert.deepEqual([...new Set(server.referenceVersions)], [1]);
  await page.getByLabel('Compare with').selectOption(run.name);
  await page.getByRole('columnheader', { name: 'Reference' }).first().waitFor();
  assert.deepEqual(await axeViolations(page), []);
});

function pushOf(number, digit) {
  return {
    name: `attempts/at_7f3a/pushes/${number}`,
    newCommit: digit.repeat(40),
    receiveTime: new Date(2026, 2, 2, 9, number).toISOString(),
    state: 'STATE_ACCEPTED',
    subject: `Push ${number}`,
  };
}

test('the code is walked push by push, against the template or the push before', async () => {
  fill(server);
  const patch = (text) => Buffer.from(text).toString('base64');
  server.pushes.push(pushOf(1, 'a'), pushOf(2, 'b'), pushOf(3, 'c'));
  server.diff = {
    addedLines: 3,
    removedLines: 1,
    files: [
      {
        kind: 'KIND_MODIFIED',
        oldPath: 'app.py',
        newPath: 'app.py',
        oldMode: 0o100644,
        newMode: 0o100755,
        addedLines: 2,
        removedLines: 1,
        patch: patch(
          '@@ -1,2 +1,3 @@\n import os\n-old()\n+new()\n+<script>window.hacked = 1</script>\n',
        ),
      },
      {
        kind: 'KIND_RENAMED',
        oldPath: 'a.txt',
        newPath: 'docs/a\u202Etxt.md',
        addedLines: 1,
        patch: patch('@@ -1 +1,2 @@\n a\n+b\n'),
        truncated: true,
      },
      {
        kind: 'KIND_ADDED',
        newPath: 'logo.png',
        newMode: 0o100644,
        binary: true,
      },
      { kind: 'KIND_RENAMED', oldPath: 'old.py', newPath: 'new.py' },
      {
        kind: 'KIND_ADDED',
        newPath: 'latin.txt',
        addedLines: 1,
        patch: Buffer.from('@@ -0,0 +1 @@\n+caf\xe9\n', 'latin1').toString(
          'base64',
        ),
      },
      {
        kind: 'KIND_ADDED',
        newPath: 'long.txt',
        addedLines: 1500,
        patch: patch(
          `@@ -0,0 +1,1500 @@\n${Array.from({ length: 1500 }, (_, i) => `+line ${i}\n`).join('')}`,
        ),
      },
    ],
  };
  server.notes = [
    {
      path: 'DECISIONS.md',
      content: patch(
        '# Why\n\nRows are **locked**, see [the page](https://example.org/x).\n',
      ),
    },
    { path: 'README.md', content: patch('The brief'), ofTemplate: true },
  ];
  server.commits = [
    {
      commit: 'c'.repeat(40),
      subject: 'Lock rows',
      body: 'One statement\ntakes the stock.',
      authorTime: new Date(2026, 2, 2, 9).toISOString(),
    },
    { commit: 'd'.repeat(40), subject: 'The template', ofTemplate: true },
  ];
  await open('/attempts/at_7f3a');
  await page.getByRole('tab', { name: 'Code' }).click();
  await page.getByText('Push 3 of 3').waitFor();
  const notes = page.getByRole('complementary', { name: /notes/ });
  await notes.getByRole('heading', { name: 'Why' }).waitFor();
  await notes.getByText('takes the stock.').waitFor();
  assert.equal(
    await notes.getByText('The template', { exact: true }).count(),
    0,
  );
  assert.equal(await notes.getByText('The brief').isVisible(), false);
  const link = notes.getByRole('link', { name: 'the page' });
  assert.match(await link.getAttribute('rel'), /noopener/);
  const word = page.locator('.t-keyword', { hasText: 'import' });
  await word.first().waitFor();
  await page.getByText('Renamed; no line changed').waitFor();
  await page.getByText('Some of its bytes are no UTF-8').waitFor();
  await page.locator('.line-text', { hasText: 'new()' }).first().waitFor();
  await page.getByText('mode 100644 → 100755').waitFor();
  await page.getByText('a.txt → docs/a⟨U+202E⟩txt.md').waitFor();
  await page.getByText('A binary file').waitFor();
  await page.getByText('The rest of this file is too long').waitFor();
  await picture('attempt-code');
  assert.deepEqual(await axeViolations(page), []);
  assert.equal(await page.locator('table.split').count(), 0);
  await page.getByRole('button', { name: 'Side by side' }).click();
  assert.equal(await page.locator('table.split').count(), 3);
  await page.getByRole('button', { name: 'Notes' }).click();
  assert.equal(await notes.count(), 0);

  const asked = () => server.diffsAsked.at(-1);
  assert.equal(asked().newCommit, 'c'.repeat(40));
  assert.equal(asked().oldCommit ?? '', '', 'against the template');
  await page.getByRole('slider').press('ArrowLeft');
  await page.getByText('Push 2 of 3').waitFor();
  await page.getByLabel('Compared with').selectOption('the push before');
  await page.waitForURL(/push=2&against=before/);
  await page.locator('.line-text', { hasText: 'new()' }).first().waitFor();
  assert.equal(asked().newCommit, 'b'.repeat(40));
  assert.equal(asked().oldCommit, 'a'.repeat(40));
  await page.reload();
  await page.getByText('Push 2 of 3').waitFor();
  assert.equal(await page.getByText('line 1499').count(), 0, 'it is folded');
  await page.getByRole('button', { name: 'Show them' }).click();
  await page.getByText('line 1499').waitFor();
  assert.equal(await page.evaluate(() => 'hacked' in window), false);
});

test('a run under way is followed event by event', async () => {
  fill(server);
  const { name } = LIVE_RUN;
  await open(`/${name}`);
  await page.getByText('No checks so far').waitFor();
  server.tell(name, {
    checkStarted: { checkId: CHECKS[0].checkId, title: CHECKS[0].title },
  });
  await page.getByText('running', { exact: true }).last().waitFor();
  server.tell(name, { checkFinished: { result: CHECKS[0] } });
  await page.getByText('12 / 12').waitFor();
  const score = { earned: 12, max: 12 };
  server.runs.set(name, {
    ...LIVE_RUN,
    state: 'STATE_FINISHED',
    outcome: 'OUTCOME_COMPLETED',
    score,
  });
  server.tell(name, { stateChanged: { state: 'STATE_FINISHED', score } });
  server.finish(name);
  await page.getByText('completed').waitFor();
  assert.equal(await page.locator('.live-mark').count(), 0);
});

test('a cut connection is said aloud, and nothing is lost or doubled by it', async () => {
  fill(server);
  const { name } = LIVE_RUN;
  await open(`/${name}`);
  server.tell(name, { checkFinished: { result: CHECKS[0] } });
  await page.getByText(CHECKS[0].title).waitFor();
  await server.stop();
  await page.getByText('Not connected').waitFor();
  await picture('stale');
  server.tell(name, { checkFinished: { result: CHECKS[1] } });
  await server.start();
  await page.getByText(CHECKS[1].title).waitFor();
  await page.getByText('Not connected').waitFor({ state: 'detached' });
  assert.equal(await page.getByText(CHECKS[0].title).count(), 1);
});

test('an expired session asks for a token and comes back to the same page', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}`);
  await page.getByText('75 / 100').waitFor();
  await page.evaluate(() => localStorage.setItem('assay.token', 'revoked'));
  await page.reload();
  await page.getByRole('button', { name: 'Sign in with a token' }).click();
  await page.getByLabel('Your token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('75 / 100').waitFor();
});

test('a session that ends under the hands keeps what was typed', async () => {
  fill(server);
  server.questions.push({
    name: 'questions/q_1',
    text: 'May an order have no lines?',
    askTime: new Date().toISOString(),
  });
  await open('/assignments/orders-api?tab=questions');
  await page.getByLabel('Your answer').fill('No: answer with 422.');
  server.known = false;
  await page.getByRole('button', { name: 'Answer', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in with a token' }).click();
  server.known = true;
  await page.getByLabel('Your token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('May an order have no lines?').waitFor();
  const answer = await page.getByLabel('Your answer').inputValue();
  assert.equal(answer, 'No: answer with 422.');
});

// What each page waits for, and what is there when it has come.
const SLOW_PAGES = [
  ['/', ['assignments', 'workers', 'runs'], 'Orders API'],
  ['/account', ['accounts'], 'Grace <b>H.</b>'],
  ['/assignments/orders-api', ['assignment'], 'Ada Lovelace'],
  [
    '/assignments/orders-api?tab=questions',
    ['assignment'],
    'Nobody has asked yet',
  ],
  ['/assignments/orders-api?tab=statistics', ['assignment'], 'Tells apart'],
  ['/assignments/orders-api/edit', ['assignment'], 'Late pushes'],
  ['/attempts/at_7f3a', ['attempt'], 'Decide'],
  [`/${FINAL_RUN.name}`, ['run'], '75 / 100'],
  [`/${FINAL_RUN.name}?tab=compare`, ['run'], 'No other run chosen'],
];

test('a slow answer is waited for with a word, and a quick one without', async () => {
  fill(server);
  await page.clock.install();
  let now = Date.now();
  for (const [address, waits, shown] of SLOW_PAGES) {
    await open('/nowhere');
    await page.getByText('There is no such page').waitFor();
    const release = server.hold();
    await page.clock.pauseAt((now += 3_600_000));
    await goWithin(address);
    const words = page.locator('.loading');
    await words.first().waitFor({ state: 'attached' });
    await page.clock.runFor(140);
    assert.deepEqual(
      [...new Set(await words.allTextContents())],
      [''],
      address,
    );
    await page.clock.resume();
    for (const what of waits) {
      const word = page.getByText(`Loading ${what}…`);
      await word.waitFor();
      assert.equal(await word.getAttribute('aria-busy'), 'true');
    }
    release();
    await page.getByText(shown).first().waitFor();
    await words.first().waitFor({ state: 'detached' });
  }
});

test('a page that found nobody there asks again by itself', async () => {
  fill(server);
  await open('/');
  await page.getByText('Orders API').first().waitFor();
  for (const [address, , shown] of SLOW_PAGES) {
    // Its script is not there before somebody wants to write.
    if (address.endsWith('/edit')) continue;
    await server.stop();
    await goWithin(address);
    await page
      .getByText(/The server does not answer|Not connected|Loading run/)
      .first()
      .waitFor();
    await server.start();
    await page.getByText(shown).first().waitFor();
    await page.getByText('The server does not answer').waitFor({
      state: 'detached',
    });
  }
});

test('a part of the dashboard that could not be fetched is said, and can be had again', async () => {
  fill(server);
  await open('/');
  await page.getByText('Orders API').first().waitFor();
  await server.stop();
  await goWithin('/assignments/orders-api/edit');
  await page.getByText('This page could not be shown').waitFor();
  await server.start();
  await page.getByRole('button', { name: 'Load again' }).click();
  await page.getByText('Late pushes').waitFor();
});

test('without a connection nothing that was typed is lost', async () => {
  fill(server);
  await open('/attempts/at_7f3a');
  await page.getByLabel('Why, for the record').fill('75 of 100, and clear');
  await server.stop();
  await page.getByRole('button', { name: 'Decide' }).click();
  await page.getByText('The server does not answer').first().waitFor();
  await server.start();
  await page.getByText('Not connected').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Decide' }).click();
  await page.getByText(/by first admin: 75 of 100/).waitFor();
});

test('an assignment that is gone, and a run without spans, are said', async () => {
  fill(server);
  await open('/assignments/gone');
  await page.getByText('there is no assignments/gone').waitFor();
  await open(`/${LIVE_RUN.name}?tab=trace`);
  await page.getByText('No spans').waitFor();
});

test('a run that does not exist is said to be missing', async () => {
  fill(server);
  await open('/runs/gone');
  await page.getByText('there is no runs/gone').waitFor();
});

test('hostile text runs nothing and asks for nothing', async () => {
  fill(server);
  for (const tab of ['checks', 'log', 'trace']) {
    await open(`/${FINAL_RUN.name}?tab=${tab}`);
    await page.getByText('75 / 100').waitFor();
    await page.waitForFunction(
      () => document.querySelector('[role=tabpanel]').textContent.length > 100,
    );
    if (tab === 'log') {
      await page.getByRole('log').evaluate((log) => (log.scrollTop = 0));
      await page.getByText('<script>window.hacked = 1</script>').waitFor();
      await page.getByText('invoice⟨U+202E⟩fdp.exe').waitFor();
      await picture('run-log');
    }
    await expectHarmless(tab);
  }
});

test('everything can be reached without a mouse', async () => {
  fill(server);
  await open('/');
  await page.getByRole('link', { name: 'run_final' }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  const seen = [];
  while (!(await focused()).startsWith('run_final')) {
    seen.push(await focused());
    assert.ok(seen.length < 60, `never got there: ${seen.join(' > ')}`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  const checks = page.getByRole('tab', { name: /Checks/ });
  await checks.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('treegrid').waitFor();
  const inTree = () =>
    page.evaluate(() => document.activeElement.role === 'treegrid');
  for (let i = 0; i < 20 && !(await inTree()); i++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await page.getByRole('heading', { name: 'run', exact: true }).waitFor();
  await page.keyboard.press('ArrowLeft');
  const rows = page.getByRole('treegrid').getByRole('row');
  assert.equal(await rows.count(), 1, 'the root is closed');
});

test('a candidate comes from the link to the hand-in, without an account', async () => {
  server.mine = candidate();
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await page.getByText('does not start the clock').waitFor();
  await picture('candidate-invitation');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText('4 h 00 min from the moment you start').waitFor();
  await page.getByText('Nothing records your screen').waitFor();
  await page.getByText('clock agrees with the server').waitFor();
  await page.getByRole('button', { name: 'Try git' }).click();
  await page.getByText('only-for-trying').waitFor();
  await picture('candidate-before-start');
  await docsPicture('candidate');
  assert.equal(page.url(), `${origin}/attempt`, 'the secret left the address');
  assert.deepEqual(await axeViolations(page), []);

  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('button', { name: 'Not yet' }).click();
  assert.equal(server.mine.state, 'STATE_ACCEPTED', 'one click starts nothing');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('button', { name: 'Yes, start the clock' }).click();
  await page.getByText(/3 h 59 min left|4 h 00 min left/).waitFor();
  await page
    .getByText('git clone http://candidate@127.0.0.1:7080/git/r_1.git work')
    .waitFor();
  await page.getByRole('button', { name: 'Show a password' }).click();
  await page.getByText('only-for-git').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Hand in' }).isDisabled());

  server.pushes.push({
    name: 'attempts/at_1/pushes/1',
    newCommit: LIVE_RUN.commit,
    receiveTime: new Date().toISOString(),
    state: 'STATE_ACCEPTED',
    subject: '<b>Orders</b> are stored',
    run: LIVE_RUN.name,
  });
  server.putRun(LIVE_RUN);
  await page.getByText('<b>Orders</b> are stored').waitFor();
  await page
    .getByLabel('Which tools did you use')
    .fill('an assistant, for the tests');
  await page.getByRole('button', { name: 'Hand in the last push' }).click();
  await page.getByText('counts', { exact: true }).waitFor();
  await page.getByText('On tools: an assistant, for the tests').waitFor();
  await page.getByRole('button', { name: 'Receipt' }).click();
  await page.getByText('0011223344556677').waitFor();

  await page.getByLabel('They do not learn who asks').fill('UTC or local?');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.getByText('Waits for an answer').waitFor();
  // The answer comes without the page asking for it.
  Object.assign(server.questions[0], {
    answer: 'UTC, always.',
    answerTime: new Date().toISOString(),
  });
  server.touch();
  await page.getByText('UTC, always.').waitFor();
  await picture('candidate-attempt');
  assert.deepEqual(await axeViolations(page), []);

  server.tell(LIVE_RUN.name, { checkFinished: { result: CHECKS[0] } });
  await page.getByRole('link', { name: 'running' }).click();
  await page.getByText('12 / 12').waitFor();
  assert.equal(await page.getByRole('tab', { name: /Trace/ }).count(), 0);
});

test('the running clock follows the server, and a wrong one is said', async () => {
  server.skew = -3_600_000;
  server.mine = {
    name: 'attempts/at_1',
    state: 'STATE_ACCEPTED',
    title: 'T',
    clock: { duration: '14400s' },
  };
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText('1 h 00 min ahead of the server').waitFor();
  server.mine = {
    ...server.mine,
    state: 'STATE_STARTED',
    cloneUrl: 'http://127.0.0.1:7080/git/r_1.git',
    clock: {
      duration: '14400s',
      deadline: new Date(Date.now() + 3_600_000).toISOString(),
    },
  };
  server.touch();
  await page.getByText(/1 h 59 min left|2 h 00 min left/).waitFor();
});

test('an author answers without a name, and stops the clock meanwhile', async () => {
  fill(server);
  server.questions.push({
    name: 'questions/q_1',
    text: 'May an order have <b>no</b> lines?',
    askTime: new Date().toISOString(),
  });
  await open('/assignments/orders-api?tab=questions');
  await page.getByText('May an order have <b>no</b> lines?').waitFor();
  await page.getByRole('button', { name: 'Stop their clock' }).click();
  await page.getByText('the clock stands').waitFor();
  await page.getByLabel('Your answer').fill('No: answer with 422.');
  await page.getByLabel('Show question and answer to every attempt').check();
  await page.getByRole('button', { name: 'Answer', exact: true }).click();
  await page.getByText('to everybody').waitFor();
  await picture('author-questions');
  assert.deepEqual(await axeViolations(page), []);
});

test('ten thousand candidates are filtered, sorted and taken elsewhere', async () => {
  fill(server);
  server.candidates = manyCandidates(10_000);
  await open('/assignments/orders-api');
  await page.getByText('10000', { exact: true }).waitFor();
  const rows = page.locator('.table-window tbody tr:not(.gap)');
  assert.ok((await rows.count()) < 100, 'only rows in sight are drawn');
  await page.getByRole('button', { name: 'Score' }).click();
  await page.getByRole('button', { name: 'Score' }).click();
  await page.locator('th[aria-sort=descending]').waitFor();
  await rows.first().getByText('100 / 100').waitFor();
  await page.getByLabel('Filter candidates').fill('person42 ');
  await page.getByText('1 of 10000').waitFor();
  await page.getByLabel('Filter candidates').fill('');
  await page.getByRole('combobox', { name: 'State' }).selectOption('decided');
  await page.getByText('2500 of 10000').waitFor();
  await page.getByText('Columns').click();
  await page.getByRole('checkbox', { name: 'Decided' }).check();
  await page.getByRole('columnheader', { name: 'Decided' }).waitFor();
  await page.getByText('Columns').click();
  const file = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const csv = fs.readFileSync(await (await file).path(), 'utf8');
  assert.equal(csv.trimEnd().split('\n').length, 2501);
  await page.reload();
  await page.getByRole('columnheader', { name: 'Decided' }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
});

test('what a suite was held against stands beside its versions', async () => {
  fill(server);
  await open('/assignments/orders-api?tab=task');
  await page.getByText('No report of a verification').waitFor();
  const text = HOSTILE.join(' ');
  const solution = {
    id: 'faulty',
    title: text,
    ok: false,
    runs: 20,
    as_declared: 19,
    points: 75,
    max: 100,
    lost: ['never-oversells', text],
    surprises: [
      { check: text, declared: 8, earned: 0, times: 1, reason: text },
    ],
    problem: text,
  };
  const report = { ok: false, solutions: [solution], unguarded: [text] };
  server.suite = [
    {
      path: 'verified.json',
      content: Buffer.from(JSON.stringify(report)).toString('base64'),
    },
  ];
  await page.reload();
  const table = page.getByRole('region', { name: 'Verification of the suite' });
  await table.getByText('19 of 20').waitFor();
  await table.getByText('0 instead of 8').waitFor();
  await page.getByText('No faulty solution loses').waitFor();
  await expectHarmless('verification');
  assert.deepEqual(await axeViolations(page), []);
  await picture('assignment-verified');
});

test('a suite is judged where it is written, and an edit that met another keeps its text', async () => {
  fill(server);
  server.suite = [
    {
      path: 'assay.yaml',
      mode: 33188,
      content: Buffer.from('version: 1\nname: Orders\n').toString('base64'),
    },
  ];
  await open('/assignments/orders-api/edit');
  const text = page.getByLabel('Text of assay.yaml');
  await text.fill('version: 1\nname: Orders\nchekcs: []\n');
  await page.getByRole('button', { name: 'assay.yaml:3:1' }).click();
  await page.getByText('did you mean “checks”').last().waitFor();
  assert.equal(await page.locator('.gutter .bad').textContent(), '3');
  const at = await text.evaluate((box) => box.selectionStart);
  assert.equal(at, 'version: 1\nname: Orders\n'.length);
  assert.deepEqual(await axeViolations(page), []);
  await picture('editor');

  server.assignments.get('assignments/orders-api').version = 2;
  await page.getByRole('button', { name: 'Make version 2' }).click();
  await page.getByText('Somebody made version 2 while you wrote').waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Make version 2' }).waitFor();
  assert.match(await text.inputValue(), /chekcs/, 'it outlives a reload');
  await page.getByRole('button', { name: 'Make version 2' }).click();
  await page.getByRole('button', { name: 'Follow version 2' }).click();
  await page.getByRole('button', { name: 'Make version 3' }).click();
  await page.waitForURL(/orders-api$/);
});

test('what waits, the queue and the workers stand on the first page', async () => {
  fill(server);
  const kinds = ['QUESTION', 'DECISION', 'ERRORED_RUN', 'PAUSED_CLOCK'];
  server.home = {
    funnels: [
      {
        assignment: 'assignments/orders-api',
        title: 'Orders API',
        version: 1,
        checkCount: 10,
        maxPoints: 100,
        invited: 12,
        accepted: 9,
        started: 8,
        submitted: 5,
        decided: 2,
      },
    ],
    waiting: kinds.map((kind, i) => ({
      kind: `KIND_${kind}`,
      assignment: 'assignments/orders-api',
      attempt: `attempts/att_${i}`,
      run: kind === 'ERRORED_RUN' ? FINAL_RUN.name : '',
      since: new Date(Date.now() - 3_600_000 * (i + 1)).toISOString(),
    })),
    waitingCount: 4,
    queue: [
      {
        run: LIVE_RUN.name,
        attempt: LIVE_RUN.attempt,
        assignment: LIVE_RUN.assignment,
        kind: 'KIND_PUSH',
        queueTime: new Date().toISOString(),
        expectedStartTime: new Date(Date.now() + 90_000).toISOString(),
      },
    ],
    queuedCount: 1,
    runningCount: 2,
    usualRunDuration: '8.2s',
  };
  server.workers = [
    worker('w1'),
    worker('w2', {
      slots: 4,
      state: 'STATE_DRAINED',
      actor: 'Ada',
      reason: 'new disk',
    }),
    worker('w3', { attached: false }),
  ];
  await open('/');
  await page.getByRole('link', { name: 'A question to answer' }).waitFor();
  await page.getByText('2 running, 1 queued. A run usually takes').waitFor();
  await page.getByRole('cell', { name: 'in 1 min' }).waitFor();
  await page.getByRole('cell', { name: 'w1', exact: true }).waitFor();
  await page
    .getByRole('cell', { name: 'no: drained by Ada: new disk' })
    .waitFor();
  await page.getByRole('button', { name: 'Drain w1' }).click();
  await page.getByLabel('Why w1 is drained').fill('the fan');
  await page.keyboard.press('Enter');
  await page
    .getByRole('cell', { name: 'no: drained by first admin: the fan' })
    .waitFor();
  await page.getByRole('button', { name: 'Resume w2' }).click();
  await page.getByText('w2 gets runs again').waitFor();
  await page.getByRole('button', { name: 'Forget w3' }).click();
  await page
    .getByRole('cell', { name: 'w3', exact: true })
    .waitFor({ state: 'detached' });
  await picture('home-busy');
  assert.deepEqual(await axeViolations(page), []);
});

test('a decision is taken with a reason, and what is typed outlives a reload', async () => {
  fill(server);
  await open('/attempts/at_7f3a');
  await page.getByLabel('Outcome').selectOption('advance');
  await page
    .getByLabel('Feedback to the candidate')
    .fill('Your API was clear.');
  await page.reload();
  await page.getByLabel('Why, for the record').fill('75 of 100, and clear');
  await page.getByRole('button', { name: 'Decide' }).click();
  await page.getByText('advance by first admin: 75 of 100').waitFor();
  assert.equal(server.decisions[0].outcome, 'OUTCOME_ADVANCE');
  assert.equal(server.decisions[0].feedback, 'Your API was clear.');
  await picture('attempt-decided');
  assert.deepEqual(await axeViolations(page), []);
});

test('a few letters lead anywhere', async () => {
  fill(server);
  await open('/');
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('option', { name: 'Orders API: edit' }).waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await page.keyboard.type('ostat');
  await page.keyboard.press('Enter');
  await page.waitForURL(/orders-api\?tab=statistics$/);
  await page.keyboard.press('Control+k');
  await page.keyboard.type(FINAL_RUN.name);
  await page.keyboard.press('Enter');
  await page.getByText('75 / 100').waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

// Whatever can come from somebody else, on every page that shows it.
// Nothing of the corpus has become more than text, and nothing was tried that
// the content security policy had to stop.
async function expectHarmless(where) {
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

test('hostile text runs nothing on any page', async () => {
  fill(server);
  const text = HOSTILE.join(' ');
  const evil = [text, `# ${text}`, `[x](javascript:hacked=1) ${text}`].join(
    '\n\n',
  );
  const assignment = server.assignments.get('assignments/orders-api');
  server.assignments.set(assignment.name, {
    ...assignment,
    spec: { ...assignment.spec, title: text, brief: evil },
  });
  server.attempts.set('attempts/at_7f3a', {
    ...server.attempts.get('attempts/at_7f3a'),
    candidateName: text,
    candidateEmail: text,
  });
  server.candidates = HOSTILE.map((each, i) => ({
    ...server.candidates[0],
    invitation: `invitations/inv_${i}`,
    candidateName: each,
    candidateEmail: each,
  }));
  server.invitations.push({
    ...server.invitations[0],
    name: 'invitations/inv_x',
    candidateName: text,
  });
  server.questions.push({
    name: 'questions/q_1',
    text: evil,
    askTime: '2026-03-02T09:00:00Z',
  });
  server.pushes.push({ ...pushOf(1, 'a'), subject: text });
  server.notes = [
    { path: text, content: Buffer.from(evil).toString('base64') },
    { path: 'NOTES.md', content: Buffer.from(evil).toString('base64') },
  ];
  server.commits = [{ commit: 'a'.repeat(40), subject: text, body: evil }];
  server.timeline = [
    { kind: 'KIND_CLOCK', text, actor: text, time: '2026-03-02T09:00:00Z' },
  ];
  server.diff = {
    files: [
      {
        kind: 'KIND_ADDED',
        newPath: `${text}.html`,
        addedLines: 1,
        patch: Buffer.from(`@@ -0,0 +1 @@\n+${text}\n`).toString('base64'),
      },
    ],
  };
  server.submissions.push({
    name: 'attempts/at_7f3a/submissions/1',
    commit: 'a'.repeat(40),
    submitTime: '2026-03-02T09:00:00Z',
    aiStatement: evil,
  });
  server.decisions.push({
    outcome: 'OUTCOME_HOLD',
    reason: text,
    decider: text,
    number: 1,
  });
  server.statistics.checks[0].title = text;
  server.self = { role: 'ROLE_ADMIN', label: text };
  server.workers = [
    worker(text, { state: 'STATE_DRAINED', actor: text, reason: text }),
    worker(`${text} `, { faultCount: 1, lastFault: text }),
  ];
  for (const address of [
    '/',
    '/account',
    '/assignments/orders-api',
    '/assignments/orders-api?tab=questions',
    '/assignments/orders-api?tab=statistics',
    '/assignments/orders-api?tab=task',
    '/assignments/orders-api/edit',
    '/attempts/at_7f3a',
    '/attempts/at_7f3a?tab=code',
    `/${FINAL_RUN.name}?tab=compare&with=${encodeURIComponent(FINAL_RUN.name)}`,
  ]) {
    await open(address);
    await page.waitForFunction(
      () => document.querySelector('main').textContent.length > 60,
    );
    await expectHarmless(address);
  }
});

test("hostile text runs nothing in a test framework's results", async () => {
  fill(server);
  const cases = HOSTILE.map((text) => ({
    name: text,
    verdict: 'VERDICT_FAILED',
    reason: `${text}\n${text}`,
  }));
  const hostile = {
    ...CHECKS[0],
    checkId: 'units',
    title: HOSTILE.join(' '),
    verdict: 'VERDICT_FAILED',
    reason: HOSTILE.join('\n'),
    spanId: '0000000400000000',
    cases,
    steps: [
      {
        title: HOSTILE.join(' '),
        verdict: 'VERDICT_FAILED',
        reason: HOSTILE.join('\n'),
        position: 'assay.yaml:9:1',
        spanId: '0000000500000000',
        cases,
      },
    ],
  };
  server.runs.set(FINAL_RUN.name, { ...FINAL_RUN, checks: [hostile] });
  server.tell(FINAL_RUN.name, { checkFinished: { result: hostile } });
  await open(`/${FINAL_RUN.name}?tab=checks`);
  const shown = page.locator('details', { hasText: 'units' });
  await shown.getByText('<img src=x onerror').first().waitFor();
  assert.equal(await shown.locator('.cases li').count(), 2 * HOSTILE.length);
  await expectHarmless('checks');
  // The step leads to its span, and what failed is pinned there.
  await shown.getByRole('link', { name: /in the trace/ }).click();
  const panel = page.getByRole('region', { name: 'Chosen span' });
  await panel.getByText('assay.yaml:9:1').waitFor();
  await panel.getByText('<img src=x onerror').first().waitFor();
  await expectHarmless('trace');
  await open(
    `/${FINAL_RUN.name}?tab=compare&with=${encodeURIComponent(FINAL_RUN.name)}`,
  );
  await page.getByText('Every check came to the same').waitFor();
  await expectHarmless('compare');
});

test("hostile text runs nothing on a candidate's own pages", async () => {
  fill(server);
  const text = HOSTILE.join(' ');
  const evil = [text, `# ${text}`, `[x](javascript:hacked=1) ${text}`].join(
    '\n\n',
  );
  server.mine = {
    name: 'attempts/at_1',
    state: 'STATE_ACCEPTED',
    title: text,
    brief: evil,
    aiPolicy: text,
    templateBranch: text,
    clock: { duration: '14400s', grace: '120s', accommodation: 1 },
    rules: { latePolicy: 'LATE_POLICY_REJECT' },
  };
  server.pushes.push(
    { ...pushOf(1, 'a'), subject: text, run: FINAL_RUN.name },
    { ...pushOf(2, 'b'), subject: text, state: 'STATE_REFUSED', refusal: text },
  );
  server.questions.push({
    name: 'questions/q_1',
    text: evil,
    answer: evil,
    askTime: '2026-03-02T09:00:00Z',
    answerTime: '2026-03-02T09:10:00Z',
  });
  server.decisions.push({
    outcome: 'OUTCOME_ADVANCE',
    feedback: evil,
    feedbackReleased: true,
  });
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await expectHarmless('invitation');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('heading', { name: 'The task' }).waitFor();
  await expectHarmless('before the start');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('button', { name: 'Yes, start the clock' }).click();
  await page.getByRole('heading', { name: 'Your pushes' }).waitFor();
  await page.getByText('<img src=x onerror').first().waitFor();
  await expectHarmless('under way');
  server.submissions.push({
    name: 'attempts/at_1/submissions/1',
    commit: 'a'.repeat(40),
    submitTime: '2026-03-02T09:00:00Z',
    aiStatement: evil,
  });
  server.mine = { ...server.mine, state: 'STATE_SUBMITTED' };
  server.touch();
  await page.getByText('counts', { exact: true }).waitFor();
  await expectHarmless('handed in');
  for (const tab of ['checks', 'log']) {
    await page.goto(`${origin}/attempt/${FINAL_RUN.name}?tab=${tab}`);
    await page.getByText('75 / 100').waitFor();
    await page.waitForFunction(
      () => document.querySelector('[role=tabpanel]').textContent.length > 100,
    );
    await expectHarmless(tab);
  }
});

test('feedback is shown once it is released', async () => {
  server.mine = {
    name: 'attempts/at_1',
    state: 'STATE_SUBMITTED',
    title: 'T',
    clock: { duration: '14400s' },
  };
  server.decisions.push({
    outcome: 'OUTCOME_ADVANCE',
    feedback: 'Your API was clear.',
    feedbackReleased: true,
  });
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByText('Your API was clear.').waitFor();
  assert.equal(await page.getByLabel('They do not learn who asks').count(), 0);
});

test('a wrong invitation is refused with a sentence', async () => {
  await page.goto(`${origin}/invitation#nonsense`);
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('alert').filter({ hasText: 'there is no' }).waitFor();
});

test('a candidate sees the task on a telephone without scrolling sideways', async () => {
  server.mine = {
    name: 'attempts/at_1',
    state: 'STATE_ACCEPTED',
    title: 'T',
    brief: '# T\n\n' + 'x'.repeat(400),
  };
  await page.setViewportSize({ width: 360, height: 700 });
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('heading', { name: 'The task' }).waitFor();
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `the page is ${width} pixels wide`);
});

test('no page scrolls sideways on a telephone', async () => {
  fill(server);
  server.home = {
    funnels: [
      {
        assignment: 'assignments/orders-api',
        title: 'Orders API',
        invited: 10_004,
        accepted: 10_003,
        started: 10_003,
        submitted: 9_999,
        decided: 9_998,
      },
    ],
  };
  server.diff = {
    files: [
      {
        kind: 'KIND_ADDED',
        newPath: `${'deep/'.repeat(20)}app.py`,
        addedLines: 1,
        patch: Buffer.from(`@@ -0,0 +1 @@\n+${'x'.repeat(300)}\n`).toString(
          'base64',
        ),
      },
    ],
  };
  server.pushes.push(pushOf(1, 'a'));
  server.suite = [
    {
      path: 'assay.yaml',
      mode: 33188,
      content: Buffer.from('version: 1\n').toString('base64'),
    },
  ];
  await page.setViewportSize({ width: 375, height: 800 });
  const pages = ['/', '/account', '/new', '/attempts/at_7f3a'];
  pages.push('/attempts/at_7f3a?tab=code', '/assignments/orders-api/edit');
  for (const tab of ['candidates', 'questions', 'statistics', 'runs', 'task'])
    pages.push(`/assignments/orders-api?tab=${tab}`);
  for (const tab of ['checks', 'log', 'trace', 'compare'])
    pages.push(`/${FINAL_RUN.name}?tab=${tab}`);
  for (const address of pages) {
    await open(address);
    await page.locator('main h1').first().waitFor();
    if (address.includes('tab=')) await page.getByRole('tabpanel').waitFor();
    const width = await page.evaluate(
      () => document.documentElement.scrollWidth,
    );
    assert.ok(width <= 375, `${address} is ${width} pixels wide`);
    await picture(`narrow${address.replaceAll(/[/?=]/g, '-')}`);
  }
});

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing serious, ${scheme}`, async () => {
    fill(server);
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(origin);
    assert.deepEqual(await axeViolations(page), [], 'sign-in');
    const pages = [
      '/',
      '/assignments/orders-api',
      '/assignments/orders-api?tab=questions',
      '/assignments/orders-api?tab=statistics',
      '/assignments/orders-api?tab=runs',
      '/assignments/orders-api?tab=task',
      '/account',
      '/new',
      '/attempts/at_7f3a?tab=code',
      '/attempts/at_7f3a',
      '/runs/gone',
    ];
    for (const tab of ['checks', 'log', 'trace'])
      pages.push(`/${FINAL_RUN.name}?tab=${tab}`);
    for (const address of pages) {
      await open(address);
      await page.waitForLoadState('load');
      await page.waitForFunction(() =>
        document.querySelector('main h1, main .notice'),
      );
      if (address.includes('tab=')) await page.getByRole('tabpanel').waitFor();
      assert.deepEqual(await axeViolations(page), [], address);
      await picture(`${scheme}${address.replaceAll(/[/?=]/g, '-')}`);
    }
  });
}
