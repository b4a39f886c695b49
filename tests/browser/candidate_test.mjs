// A candidate's own pages, from the invitation to the feedback.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { INVITATION } from './fake_assayd.mjs';
import { CHECKS, LIVE_RUN } from './sample_data.mjs';
import {
  candidate,
  docsPicture,
  origin,
  page,
  picture,
  server,
} from './stage.mjs';

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
  // As long as those that the server makes.
  server.trialPassword = `asy_${'k'.repeat(52)}`;
  await page.getByRole('button', { name: 'Try git' }).click();
  await page.getByText(server.trialPassword).waitFor();
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `the page is ${width} pixels wide`);
});
