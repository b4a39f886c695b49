// A run: its checks, its outputs, live and beside another one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { CHECKS, fill, FINAL_RUN, LIVE_RUN } from './sample_data.mjs';
import { docsPicture, open, page, picture, server } from './stage.mjs';

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
