// Who gets in, what they get to see, and what becomes of a session.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { PASSWORD, TOKEN } from './fake_assayd.mjs';
import { fill, FINAL_RUN } from './sample_data.mjs';
import { open, origin, page, picture, server } from './stage.mjs';

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
