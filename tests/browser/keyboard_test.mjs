// Everything that people do here, by keys alone: each step waits for what it acts
// upon, and walks to it by Tab until the keyboard is there.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { INVITATION, PASSWORD } from './fake_assayd.mjs';
import { fill, fillCode, FINAL_RUN, LIVE_RUN, suite } from './sample_data.mjs';
import { button, candidate, origin, page, server } from './stage.mjs';

// More stops than any page has.
const STOPS = 150;

const field = (name) => page.getByLabel(name);
const isFocused = (target) =>
  target.evaluate((element) => element === document.activeElement);

// What the keyboard is at, for whoever reads of a walk that went wrong.
const focused = () =>
  page.evaluate(() => {
    const at = document.activeElement;
    return (at.getAttribute('aria-label') ?? at.textContent).slice(0, 20);
  });

async function tabTo(target) {
  await target.waitFor();
  const seen = [];
  while (!(await isFocused(target))) {
    assert.ok(seen.length < STOPS, `no way to ${target}: ${seen.join(' > ')}`);
    await page.keyboard.press('Tab');
    seen.push(await focused());
  }
}

async function press(target, key = 'Enter') {
  await tabTo(target);
  await page.keyboard.press(key);
}

async function typeInto(target, text) {
  await tabTo(target);
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
  assert.equal(await target.inputValue(), text);
}

// Waits for what `look` finds to be so; the page has no event for it.
async function until(look, what) {
  const end = Date.now() + 30_000;
  while (!(await look())) assert.ok(Date.now() < end, what);
}

// Arrows choose in a list that is closed.
async function choose(target, value) {
  await tabTo(target);
  await page.keyboard.press('Home');
  const options = await target.locator('option').count();
  for (let i = 0; i < options; i++) {
    if ((await target.inputValue()) === value) return;
    await page.keyboard.press('ArrowDown');
  }
  assert.equal(await target.inputValue(), value);
}

// The palette leads where its chosen line says, which changes as pages are found.
async function goByPalette(letters, name, url) {
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Go to' });
  await box.waitFor();
  await until(() => isFocused(box), 'the palette has the keyboard');
  await page.keyboard.type(letters);
  await page
    .getByRole('option', { name, exact: true, selected: true })
    .waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(url);
}

// Signs in as an author, and is at home.
async function signIn() {
  fill(server);
  await page.goto(origin);
  const name = field('Name');
  await name.waitFor();
  await typeInto(name, 'grace');
  await typeInto(field('Password'), PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Orders API' }).waitFor();
}

test('an author signs in, and makes an assignment', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'assay-template-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, 'README.md'), 'Start here.\n');
  await signIn();
  await goByPalette('newass', 'New assignment', /\/new$/);
  await typeInto(field('Name in addresses'), 'my-task');
  await typeInto(field('Title'), 'My task');
  const template = page.getByLabel('Folder that every candidate starts from');
  const asked = page.waitForEvent('filechooser');
  await press(template);
  await (await asked).setFiles(folder);
  await press(button('Create'));
  await page.waitForURL(/\/assignments\/my-task$/);
  assert.ok(server.assignments.has('assignments/my-task'));
});

test('an author edits an assignment, and its suite is judged', async () => {
  await signIn();
  server.suite = suite('version: 1\nname: Orders\n');
  await goByPalette('ordersapiedit', 'Orders API: edit', /\/edit$/);
  await typeInto(field('Title'), 'Orders, again');
  const text = page.getByLabel('Text of assay.yaml');
  await tabTo(text);
  await page.keyboard.press('Control+End');
  await page.keyboard.type('chekcs: []');
  await page.getByText('did you mean “checks”').last().waitFor();
  // The way to the mistake leads back into the text, and on from there.
  await press(button('assay.yaml:3:1'));
  await until(() => isFocused(text), 'the mistake is gone to');
  await press(button('Make version 2'));
  await page.waitForURL(/\/assignments\/orders-api$/);
});

test('an author invites one, many after a trial, and takes one back', async () => {
  await signIn();
  await goByPalette('ordersapi', 'Orders API', /\/assignments\/orders-api$/);
  await typeInto(page.locator('form').getByLabel('Name'), 'Alan');
  await typeInto(
    page.locator('form').getByLabel('Address'),
    'alan@example.org',
  );
  await page.keyboard.press('Enter');
  await page.getByText('Send this link to Alan').waitFor();

  await press(page.locator('summary', { hasText: 'Invite many' }));
  const lines = page.getByLabel('One line for each');
  await tabTo(lines);
  await page.keyboard.insertText('Ada,ada@example.org\nnobody\n');
  await press(button('Try without inviting'));
  await page.getByText('line 2: an address is missing').waitFor();
  assert.ok(await button('Invite all').isDisabled());
  await tabTo(lines);
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('Ada,ada@example.org\nBob,bob@example.org\n');
  await press(button('Try without inviting'));
  await page.getByText('2 lines, and nothing is wrong').waitFor();
  assert.deepEqual(
    server.invited.map((one) => one.candidateName),
    ['Alan'],
    'a trial invites nobody',
  );
  await press(button('Invite all'));
  await page.getByText('2 people are invited').waitFor();

  await press(button('Take back').first());
  await until(
    () => isFocused(button('Yes, take it back')),
    'the question has the keyboard',
  );
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'taken back' }).waitFor();
});

test('an author answers a question whose clock stands meanwhile', async () => {
  await signIn();
  server.questions.push({
    name: 'questions/q_1',
    text: 'May an order have no lines?',
    askTime: new Date().toISOString(),
  });
  await goByPalette('oquest', 'Orders API: questions', /tab=questions$/);
  await press(button('Stop their clock until then'));
  await page.getByText('the clock stands').waitFor();
  await typeInto(field('Your answer'), 'No: answer with 422.');
  await press(
    page.getByLabel('Show question and answer to every attempt'),
    'Space',
  );
  await press(button('Answer'));
  await page.getByText('to everybody').waitFor();
  assert.equal(server.questions[0].answer, 'No: answer with 422.');
});

test('an author stops a clock, lets it run, gives time and opens an attempt again', async () => {
  await signIn();
  const name = 'attempts/at_clock';
  server.attempts.set(name, {
    ...server.attempts.get('attempts/at_7f3a'),
    name,
    state: 'STATE_STARTED',
  });
  await goByPalette(name, `Open ${name}`, /at_clock$/);
  const what = field('What to do');
  const reason = field('Reason, kept in the audit log');
  // Sends the form by Enter in its last field. Its reason is empty once the server
  // has agreed.
  const send = async (text) => {
    await typeInto(reason, text);
    await page.keyboard.press('Enter');
    await until(async () => (await reason.inputValue()) === '', 'it is sent');
  };
  await choose(what, 'pause');
  await send('The power failed');
  await button('Resume').waitFor();
  await choose(what, 'resume');
  await send('It is back');
  await button('Resume').waitFor({ state: 'detached' });
  await choose(what, 'extend');
  await typeInto(field('More minutes'), '45');
  await send('For the time that was lost');
  await choose(what, 'accommodate');
  await typeInto(field('Factor on the time allowed'), '1.5');
  await send('Agreed in March');

  server.change(name, { state: 'STATE_SUBMITTED' });
  await what
    .locator('option', { hasText: 'open it again' })
    .waitFor({ state: 'attached' });
  await choose(what, 'extend');
  await send('The network was down at the deadline');
  await what
    .locator('option', { hasText: 'Stop the clock' })
    .waitFor({ state: 'attached' });
  assert.deepEqual(
    server.clockChanges.map(({ method, reason: why }) => [method, why]),
    [
      ['PauseAttempt', 'The power failed'],
      ['ResumeAttempt', 'It is back'],
      ['ExtendAttempt', 'For the time that was lost'],
      ['SetAccommodation', 'Agreed in March'],
      ['ExtendAttempt', 'The network was down at the deadline'],
    ],
  );
  assert.equal(server.clockChanges[2].extension, '2700s');
});

test('a reviewer walks pushes and code, and decides', async () => {
  await signIn();
  fillCode(server);
  await goByPalette('attempts/at_7f3a', 'Open attempts/at_7f3a', /at_7f3a$/);
  await choose(field('Outcome'), '1');
  await typeInto(
    page.getByLabel('Why, for the record'),
    '75 of 100, and clear',
  );
  await press(button('Decide'));
  await page.getByText(/^advance by first admin: 75 of 100/).waitFor();

  await tabTo(page.getByRole('tab', { selected: true }));
  await page.keyboard.press('ArrowRight');
  await page.waitForURL(/tab=code/);
  await page.getByText('Push 2 of 2').waitFor();
  await press(page.getByRole('slider'), 'ArrowLeft');
  await page.getByText('Push 1 of 2').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByText('Push 2 of 2').waitFor();
  await choose(field('Compared with'), 'before');
  await page.waitForURL(/against=before/);
  await page.locator('table.diff').first().waitFor();
  await press(button('Side by side'));
  await page.locator('table.split').first().waitFor();
  await press(page.getByRole('link', { name: 'DECISIONS.md' }));
  await page.waitForURL(/#file-1$/);
});

test('a reviewer reads the log and the trace of a run', async () => {
  await signIn();
  await goByPalette(FINAL_RUN.name, `Open ${FINAL_RUN.name}`, /run_final$/);
  await tabTo(page.getByRole('tab', { selected: true }));
  await page.keyboard.press('ArrowRight');
  const find = page.getByLabel('Find in this output');
  await typeInto(find, '201 - 39');
  await page.getByText('1 of 11').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('2 of 11').waitFor();
  await page.locator('.log-line.at', { hasText: '201 - 390' }).waitFor();
  await press(button('Follow'));
  await page.locator('.log-line', { hasText: '201 - 399' }).waitFor();

  // Shift leads back to the tabs.
  const tab = page.getByRole('tab', { selected: true });
  for (let i = 0; i < STOPS && !(await isFocused(tab)); i++)
    await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('ArrowRight');
  const tree = page.getByRole('treegrid');
  await tabTo(tree);
  await page.keyboard.press('f');
  await page.getByRole('heading', { name: 'check never-oversells' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('row', { expanded: false }).waitFor();
  await page.keyboard.press('l');
  const lanes = page.getByRole('listbox', { name: 'Spans in lanes' });
  await lanes.waitFor();
  await until(() => isFocused(lanes), 'the lanes have the keyboard');
  await page.keyboard.press('End');
  await page.getByRole('option', { name: 'GET /stock' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('option', { name: 'load /stock' }).waitFor();
  await press(page.getByRole('button', { name: '9.8 ms' }));
  await page.getByRole('heading', { name: 'GET /stock' }).waitFor();
});

test('a candidate accepts, starts and hands in', async () => {
  server.mine = candidate();
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await page.getByRole('heading', { name: 'You are invited' }).waitFor();
  await press(button('Accept and read the task'));
  await page.getByRole('heading', { name: 'The task' }).waitFor();
  await press(button('Start'));
  await press(button('Yes, start the clock'));
  await page.getByText(/left$/).waitFor();
  server.pushes.push({
    name: 'attempts/at_1/pushes/1',
    newCommit: LIVE_RUN.commit,
    receiveTime: new Date().toISOString(),
    state: 'STATE_ACCEPTED',
    subject: 'Orders',
  });
  server.touch();
  await page.getByRole('cell', { name: 'Orders' }).waitFor();
  await typeInto(page.getByLabel('Which tools did you use'), 'an assistant');
  await press(button('Hand in the last push'));
  await page.getByText('counts', { exact: true }).waitFor();
  await press(button('Receipt'));
  await page.getByText('0011223344556677').waitFor();
});
