// The first page, and what holds of every page: connections, addresses, widths,
// colours and keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { worker } from './fake_assayd.mjs';
import { fill, FINAL_RUN, LIVE_RUN, pushOf } from './sample_data.mjs';
import { goWithin, open, origin, page, picture, server } from './stage.mjs';

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
