// The dashboard before a real assayd, with a real git: from the invitation's
// link to the run, across a restart of the server.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { Candidate } from './candidate.mjs';
import { SECURITY } from './fake_assayd.mjs';
import { Installation, SAMPLE } from './installation.mjs';
import { POINTS, writeSmallAssignment } from './small_assignment.mjs';

let browser, installation;

before(async () => {
  installation = new Installation();
  await installation.start('--no-worker');
  browser = await launch();
});
after(async () => {
  await browser.close();
  await installation.stop();
  installation.remove();
});

// A page of somebody with cookies and storage of their own.
async function person() {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(installation.origin))
      wrong.push(request.url());
  });
  return { page, wrong };
}

// What the page says to clone, with the password that it shows.
async function cloneAddress(page) {
  const line = await page
    .locator('pre', { hasText: 'git clone' })
    .textContent();
  const repository = page.getByRole('region', { name: 'Your repository' });
  await repository.getByRole('button', { name: 'Show a password' }).click();
  const url = new URL(line.split(' ')[2]);
  url.password = await repository.locator('dd').textContent();
  return url;
}

test('author and candidate meet in two browsers', async () => {
  const author = await person();
  const { origin, adminToken } = installation;
  const first = await author.page.goto(`${origin}/#token=${adminToken}`);
  // What the fake server of the other tests promises in its name.
  for (const [name, value] of Object.entries(SECURITY))
    assert.equal(first.headers()[name], value);
  await author.page.getByText('No assignments yet').waitFor();
  installation.assay('assignment', 'create', SAMPLE);
  await author.page.reload();
  await author.page.getByRole('link', { name: 'Orders API' }).click();
  await author.page.getByText('10 checks, 100 points').waitFor();
  await author.page.getByText('Nobody is invited yet').waitFor();
  await author.page.getByRole('tab', { name: 'Task' }).click();
  await author.page
    .getByRole('heading', { name: 'What done looks like' })
    .waitFor();
  await author.page.getByRole('tab', { name: 'Candidates' }).click();
  await author.page.getByLabel('Name', { exact: true }).fill('Ada L.');
  await author.page
    .getByLabel('Address', { exact: true })
    .fill('ada@example.org');
  await author.page.getByRole('button', { name: 'Invite' }).click();
  const link = await author.page.locator('.link-line code').textContent();
  await author.page.getByRole('row').filter({ hasText: 'waiting' }).waitFor();

  const ada = await person();
  await ada.page.goto(link);
  await ada.page.getByRole('button', { name: 'Accept' }).click();
  await ada.page.getByRole('button', { name: 'Start', exact: true }).click();
  await ada.page.getByRole('button', { name: 'Yes, start the clock' }).click();
  await ada.page.getByText(/3 h 59 min left|4 h 00 min left/).waitFor();

  await author.page.reload();
  await author.page.getByRole('link', { name: 'Ada L.' }).click();
  await author.page.getByText('Clock started').waitFor();
  await author.page.getByLabel('More minutes').fill('60');
  await author.page
    .getByLabel('Reason', { exact: false })
    .fill('The power failed');
  await author.page.getByRole('button', { name: 'Extend' }).click();
  await ada.page.getByText(/4 h 59 min left|5 h 00 min left/).waitFor();
  await author.page.goto(origin);

  const url = await cloneAddress(ada.page);
  const work = installation.folder('orders');
  installation.git('/', 'clone', '--quiet', url.href, work);
  installation.git(
    work,
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    '<i>First</i>',
  );
  const commit = installation.git(work, 'rev-parse', 'HEAD').slice(0, 8);

  // The push waits for its results, and without a worker there are none.
  const push = installation.gitInBackground(work, 'push', 'origin', 'HEAD');
  await ada.page.getByText('<i>First</i>').waitFor();
  await ada.page.getByRole('link', { name: 'queued' }).waitFor();
  const row = author.page.getByRole('row').filter({ hasText: commit });
  await row.getByText('queued').waitFor();

  await installation.stop();
  await author.page.getByText('Not connected').waitFor();
  await installation.start('--no-worker');
  await author.page.getByText('Not connected').waitFor({ state: 'detached' });
  await row.getByText('queued').waitFor();

  push.kill();
  installation.git(work, 'commit', '--quiet', '--allow-empty', '-m', 'Second');
  const again = installation.gitInBackground(work, 'push', 'origin', 'HEAD');
  await ada.page.getByRole('cell', { name: 'Second' }).waitFor();
  await row.getByText('superseded').waitFor();
  const { runs } = installation.assay('run', 'list');
  const replaced = runs.find(({ state }) => state === 'STATE_SUPERSEDED');

  await ada.page.getByRole('button', { name: 'Hand in the last push' }).click();
  await ada.page.getByText('counts', { exact: true }).waitFor();
  const final = author.page.getByRole('row').filter({ hasText: 'final' });
  await final.getByRole('link').first().click();
  await author.page.getByRole('heading', { name: 'Final run of' }).waitFor();

  // It has no spans yet, and what a newer push replaced never will.
  await author.page.getByRole('tab', { name: /Trace/ }).click();
  await author.page.getByText('It waits for a worker').waitFor();
  await author.page.goto(`${origin}/${replaced.name}?tab=trace`);
  await author.page.getByText('It never began').waitFor();
  again.kill();
  assert.deepEqual([...author.wrong, ...ada.wrong], []);
});

test('an account signs in, writes a suite under the compiler’s eyes, and is put out', async () => {
  const { origin } = installation;
  const { generatedPassword } = installation.assay(
    ...['admin', 'user', 'add', 'grace', '--role', 'author'],
  );
  const grace = await person();
  await grace.page.goto(origin);
  await grace.page.getByLabel('Name').fill('grace');
  await grace.page.getByLabel('Password').fill(generatedPassword);
  await grace.page.keyboard.press('Enter');
  await grace.page.getByRole('link', { name: 'grace author' }).waitFor();

  await grace.page.getByRole('link', { name: 'New assignment' }).click();
  await grace.page.getByLabel('Name in addresses').fill('my-task');
  await grace.page.getByLabel('Title').fill('My task');
  await grace.page
    .getByLabel('Folder that every candidate starts from')
    .setInputFiles(path.join(SAMPLE, 'template'));
  const suite = grace.page.getByLabel('Text of assay.yaml');
  await grace.page.getByText('1 check, 10 points').waitFor();
  const text = await suite.inputValue();
  await suite.fill(text.replace('points: 10', 'pionts: 10'));
  await grace.page.getByText(/did you mean "points"/).waitFor();
  await suite.fill(text.replace('points: 10', 'points: 20'));
  await grace.page.getByText('1 check, 20 points').waitFor();
  await grace.page.getByRole('button', { name: 'Create' }).click();
  await grace.page.getByRole('heading', { name: 'My task' }).waitFor();
  const made = installation.assay('assignment', 'show', 'my-task');
  assert.equal(made.maxPoints, 20);

  await grace.page.getByText('Invite many').click();
  await grace.page
    .getByLabel('One line for each')
    .fill('Ada,ada@example.org\nBob,not an address');
  await grace.page.getByRole('button', { name: 'Try without' }).click();
  await grace.page.getByText('line 2:').waitFor();
  await grace.page
    .getByLabel('One line for each')
    .fill('Ada,ada@example.org\nBob,bob@example.org,1.5');
  await grace.page.getByRole('button', { name: 'Try without' }).click();
  await grace.page.getByText('nothing is wrong with them').waitFor();
  await grace.page.getByRole('button', { name: 'Invite all' }).click();
  await grace.page.getByText('2 people are invited').waitFor();
  const { candidates } = installation.assay(
    ...['assignment', 'candidates', 'my-task'],
  );
  assert.deepEqual(candidates.map((one) => one.accommodation).sort(), [1, 1.5]);

  // From a terminal: what the page holds is signed out with it.
  const chosen = 'a password of her own';
  installation.assayWithInput(
    `${generatedPassword}\n${chosen}\n`,
    ...['account', 'password', 'grace', '--password-file', '-'],
  );
  await grace.page.reload();
  await grace.page.getByLabel('Name').fill('grace');
  await grace.page.getByLabel('Password').fill(chosen);
  await grace.page.keyboard.press('Enter');
  await grace.page.getByRole('link', { name: 'grace author' }).waitFor();

  installation.assay('admin', 'user', 'disable', 'grace');
  await grace.page.reload();
  await grace.page.getByLabel('Password').waitFor();
  assert.deepEqual(grace.wrong, []);
});

test('two edit at once, a session ends, a role changes: all is said, nothing typed is lost', async () => {
  const { origin } = installation;
  const { generatedPassword } = installation.assay(
    ...['admin', 'user', 'add', 'ida', '--role', 'author'],
  );
  const { page, wrong } = await person();
  const signIn = async () => {
    await page.getByLabel('Name').fill('ida');
    await page.getByLabel('Password').fill(generatedPassword);
    await page.keyboard.press('Enter');
  };
  const title = page.getByLabel('Title');
  await page.goto(`${origin}/assignments/my-task/edit`);
  await signIn();
  await title.fill('Written meanwhile');
  installation.assay('assignment', 'update', SAMPLE, '--id', 'my-task');
  await page.getByRole('button', { name: 'Make version 2' }).click();
  await page.getByText('Somebody made version 2 while you wrote').waitFor();
  assert.equal(await title.inputValue(), 'Written meanwhile');
  await page.getByRole('button', { name: 'Follow version 2' }).click();
  installation.assay('admin', 'user', 'sign-out', 'ida');
  await page.getByRole('button', { name: 'Make version 3' }).click();
  await signIn();
  await page.getByText('it is not saved yet').waitFor();
  assert.equal(await title.inputValue(), 'Written meanwhile');
  await page.getByRole('button', { name: 'Make version 3' }).click();
  await page.getByRole('heading', { name: 'Written meanwhile' }).waitFor();

  await page.goto(`${origin}/assignments/gone`);
  await page.getByText('there is no assignment "gone"').waitFor();
  assert.equal(await page.getByText('live', { exact: true }).count(), 0);

  installation.assay('admin', 'user', 'set-role', 'ida', 'observer');
  const [{ name }] = installation.assay('attempt', 'list').attempts;
  await page.goto(`${origin}/${name}`);
  await page.getByText('Observers see numbers').waitFor();
  assert.equal(await page.getByText('AttemptService').count(), 0);
  assert.deepEqual(wrong, []);
});

test('a push is graded before the eyes of its candidate and of a reviewer', async () => {
  await installation.stop();
  await installation.start();
  const { origin, adminToken } = installation;
  const invitation = installation.assay(
    ...['invite', 'orders-api', '--name', 'Bob', '--email', 'bob@example.org'],
  );
  const bob = await person();
  await bob.page.goto(invitation.link);
  await bob.page.getByRole('button', { name: 'Accept' }).click();
  await bob.page.getByRole('button', { name: 'Start', exact: true }).click();
  await bob.page.getByRole('button', { name: 'Yes, start the clock' }).click();
  const url = await cloneAddress(bob.page);
  const work = installation.folder('bobs');
  installation.git('/', 'clone', '--quiet', url.href, work);
  fs.cpSync(path.join(SAMPLE, 'solutions/faulty'), work, { recursive: true });
  installation.git(work, 'add', '-A');
  installation.git(work, 'commit', '--quiet', '-m', 'Orders');
  installation.git(work, 'push', '--quiet', 'origin', 'HEAD');
  await bob.page.getByText('34 / 34').waitFor();

  const reviewer = await person();
  await reviewer.page.goto(`${origin}/#token=${adminToken}`);
  await reviewer.page.getByText('34 / 34').waitFor();
  await bob.page.getByRole('button', { name: 'Hand in the last push' }).click();
  const row = reviewer.page.getByRole('row').filter({ hasText: '75 / 100' });
  await row.waitFor();
  await row.getByRole('link').first().click();
  await reviewer.page.getByText('10 × 201 and 40 × 409').first().waitFor();
  await reviewer.page.getByRole('tab', { name: 'Log' }).click();
  await reviewer.page.getByText('"GET /orders HTTP/1.1" 200').waitFor();
  await reviewer.page.getByRole('tab', { name: /Trace/ }).click();
  // The request in question comes near the end, and only rows in sight exist.
  await reviewer.page.getByRole('treegrid').evaluate((box) => {
    box.scrollTop = box.scrollHeight - box.clientHeight - 600;
  });
  await reviewer.page.getByText('same statement × 20').waitFor();

  // The command line says of two runs what the page does.
  const { runs } = installation.assay('run', 'list');
  const ofBob = runs.filter((run) => run.state === 'STATE_FINISHED');
  const [final, push] = ['KIND_FINAL', 'KIND_PUSH'].map(
    (kind) => ofBob.find((run) => run.kind === kind).name,
  );
  const compared = installation.assay('run', 'compare', final, push);
  assert.equal(compared.here.earned, 75);
  assert.equal(compared.there.earned, 34);
  const hidden = compared.checks.find((check) => check.there === null);
  assert.equal(hidden.same, false);
  assert.ok(compared.checks.some((check) => check.same));
  assert.ok(compared.statements.some(({ here }) => here.count >= 20));

  await reviewer.page.goto(`${origin}/`);
  await reviewer.page.getByRole('link', { name: 'Orders API' }).click();
  await reviewer.page.getByRole('link', { name: 'Bob' }).click();
  await reviewer.page.getByRole('tab', { name: 'Code' }).click();
  await reviewer.page.getByText('Push 1 of 1').waitFor();
  await reviewer.page.getByRole('link', { name: 'FAULTS.md' }).waitFor();
  assert.deepEqual([...reviewer.wrong, ...bob.wrong], []);
});

test('what cannot be read is named: in the code, in reasons, in the trace', async () => {
  const { origin, adminToken } = installation;
  const cyd = new Candidate(installation, 'Cyd');
  await cyd.begin();
  const put = (name, content) =>
    fs.writeFileSync(path.join(cyd.work, name), content);
  put('large.txt', 'line\n'.repeat(30_000));
  put('logo.png', Buffer.from([0x89, 0x50, 0, 1, 2, 3]));
  put('latin.txt', Buffer.from('Gr\u00fc\u00dfe\n', 'latin1'));
  // A character that would show the rest of its line backwards.
  put('build.sh', '#!/bin/sh\nprintf "\\342\\200\\256gnp.exe" >&2\nexit 1\n');
  await cyd.push();
  const { page, wrong } = await person();
  await page.goto(`${origin}/#token=${adminToken}`);
  const row = page.getByRole('row').filter({ hasText: 'build failed' });
  await row.getByRole('link').first().click();
  await page.locator('p.notice.bad', { hasText: /U\+202E.gnp/ }).waitFor();
  await page.getByRole('tab', { name: /Trace/ }).click();
  await page.getByRole('row', { name: /build/ }).first().waitFor();
  assert.equal(await page.getByText('its parent is missing').count(), 0);

  await page.getByRole('link', { name: /^att_/ }).click();
  await page.getByRole('heading', { name: 'Cyd' }).waitFor();
  await page.getByRole('tab', { name: 'Code' }).click();
  await page.getByText('30000 lines changed').waitFor();
  await page.getByText('A binary file').waitFor();
  await page.getByText('Some of its bytes are no UTF-8').waitFor();
  assert.deepEqual(wrong, []);
});

// What each of six candidates gets done of the four checks.
const DONE = ['abcd', 'abc', 'ab', 'ac', 'bd', ''];

// How two rows of numbers go together, by the textbook.
function pearson(xs, ys) {
  const mean = (of) => of.reduce((a, b) => a + b, 0) / of.length;
  const [x, y] = [mean(xs), mean(ys)];
  const sum = (term) => xs.reduce((all, _, i) => all + term(i), 0);
  return (
    sum((i) => (xs[i] - x) * (ys[i] - y)) /
    Math.sqrt(sum((i) => (xs[i] - x) ** 2) * sum((i) => (ys[i] - y) ** 2))
  );
}

const pointsOf = (done) =>
  [...done].reduce((all, check) => all + POINTS[check], 0);

const idOf = (name) => name.slice(name.indexOf('/') + 1);

// Lets the deadlines of attempts pass while the server is away.
function endClocks(attempts) {
  const store = new DatabaseSync(path.join(installation.data, 'store.db'));
  const second = (Date.now() - 1000) * 1000;
  const end = store.prepare(
    'UPDATE attempts SET deadline = ?, cut_off_time = ? WHERE id = ?',
  );
  for (const attempt of attempts) end.run(second, second, attempt);
  store.close();
}

// Resolves when the attempt's deadline has been seen to.
async function submitted(id) {
  while (
    installation.assay('attempt', 'show', id).state !== 'STATE_SUBMITTED'
  ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function saved(page, button) {
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: button, exact: true }).click();
  return fs.readFileSync(await (await coming).path(), 'utf8');
}

test('the figures of an assignment are those of its candidates', async () => {
  const { origin, adminToken } = installation;
  const folder = installation.folder('four-paths');
  writeSmallAssignment(folder);
  installation.assay('assignment', 'create', folder);
  await Promise.all(
    DONE.map(async (done) => {
      const one = new Candidate(installation, `Did-${done}-`, 'four-paths');
      await one.begin();
      fs.writeFileSync(
        path.join(one.work, 'done'),
        [...done, 'x'].join(' ') + '\n',
      );
      await one.push();
      await one.submit();
    }),
  );
  const stats = () => installation.assay('assignment', 'stats', 'four-paths');
  const { page, wrong } = await person();
  await page.goto(`${origin}/#token=${adminToken}`);
  await page.getByRole('link', { name: 'Four paths' }).click();
  // Each final run's score appears by itself.
  for (const done of DONE) {
    const row = page.getByRole('row').filter({
      has: page.getByRole('link', { name: `Did-${done}-`, exact: true }),
    });
    await row.getByText(`${pointsOf(done)} / 100`).waitFor({ timeout: 90_000 });
  }
  const csv = await saved(page, 'CSV');
  const json = JSON.parse(await saved(page, 'JSON'));
  assert.equal(csv.trimEnd().split('\n').length, DONE.length + 1);
  const earned = json.candidates.map((one) => one.earnedPoints ?? 0);
  assert.deepEqual(
    earned.sort((a, b) => a - b),
    DONE.map(pointsOf).sort((a, b) => a - b),
  );

  const over = json.candidates.slice(0, 5).map(({ attempt }) => idOf(attempt));
  await installation.stop();
  endClocks(over);
  await installation.start();
  for (const id of over) await submitted(id);
  for (const id of over.slice(0, 2)) {
    const why = ['--reason', 'as agreed'];
    installation.assay('decision', 'make', id, 'advance', ...why);
  }
  await page.getByRole('tab', { name: 'Statistics' }).click();
  const fact = async (name) =>
    page
      .locator('dl.facts div', { has: page.getByText(name, { exact: true }) })
      .locator('dd')
      .innerText();
  await page.getByText('Undecided').waitFor();
  assert.equal(await fact('Scored'), '6');
  // 100, 90, 70, 60, 40 and 0.
  assert.equal(await fact('Mean'), '60.0 %');
  assert.equal(await fact('Median'), '65.0 %');
  assert.match(await fact('Undecided'), /^3, the longest for /);
  const bins = await page
    .getByRole('table', { name: 'Scores in percent' })
    .getByRole('cell')
    .allTextContents();
  assert.deepEqual(bins.map(Number), [1, 0, 0, 0, 1, 0, 1, 1, 0, 2]);
  for (const id of Object.keys(POINTS)) {
    const passed = DONE.map((done) => Number(done.includes(id)));
    const rest = DONE.map((done) => pointsOf(done.replace(id, '')));
    const share = Math.round(
      (100 * passed.reduce((a, b) => a + b)) / DONE.length,
    );
    const row = page
      .getByRole('row')
      .filter({ hasText: `<b>${id}</b> is answered` });
    const cells = await row.getByRole('cell').allInnerTexts();
    assert.equal(cells[1], String(POINTS[id]));
    assert.equal(cells[2].trim(), `${share} %`);
    assert.equal(cells[3], pearson(passed, rest).toFixed(2));
  }
  // By what the store holds.
  const store = new DatabaseSync(path.join(installation.data, 'store.db'), {
    readOnly: true,
  });
  const waits = store
    .prepare(
      `SELECT d.decide_time - s.submit_time AS took FROM decisions d
       JOIN submissions s ON s.attempt = d.attempt ORDER BY took`,
    )
    .all()
    .map(({ took }) => took / 1e6);
  store.close();
  const { decisions } = stats();
  assert.equal(decisions.count, waits.length);
  assert.ok(Math.abs(parseFloat(decisions.median) - waits[0]) < 1e-6);
  assert.ok(Math.abs(parseFloat(decisions.p90) - waits[1]) < 1e-6);
  assert.deepEqual(wrong, []);
});
