// Whatever can come from somebody else, on every page that shows it: nothing of
// it runs, and nothing of it asks for anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { INVITATION, worker } from './fake_assayd.mjs';
import { CHECKS, fill, FINAL_RUN, HOSTILE, pushOf } from './sample_data.mjs';
import {
  expectHarmless,
  open,
  origin,
  page,
  picture,
  server,
} from './stage.mjs';

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
