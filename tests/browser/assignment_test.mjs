// An assignment: its candidates, its questions and its suite.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { fill, HOSTILE, manyCandidates } from './sample_data.mjs';
import { expectHarmless, open, page, picture, server } from './stage.mjs';

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

test('lists longer than one answer of the server are read to their end', async () => {
  fill(server);
  const questions = Array.from({ length: 600 }, (_, i) => ({
    name: `questions/q_${i}`,
    text: `Question ${i}.`,
    askTime: new Date().toISOString(),
    ...(i < 599 && { answer: 'Yes.', answerTime: new Date().toISOString() }),
  }));
  server.questions.push(...questions);
  await open('/assignments/orders-api?tab=questions');
  // The only one that waits came last.
  await page.getByText('Question 599.').waitFor();
  await page.getByLabel('Your answer').waitFor();
  const invited = server.invitations[0];
  for (let i = 0; i < 600; i++)
    server.invitations.push({ ...invited, name: `invitations/${i}` });
  server.invitations.at(-1).candidateEmail = 'first-of-all@example.org';
  await open('/assignments/orders-api');
  await page.getByRole('button', { name: 'Show all', exact: true }).click();
  await page.getByRole('cell', { name: 'first-of-all@' }).waitFor();
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
