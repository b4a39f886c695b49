// Pages in the states that people bring them into: dialogs open, forms
// unfolded, sessions ended, connections cut. Against a server that the test
// controls.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { INVITATION, TOKEN, worker } from './fake_assayd.mjs';
import {
  base64,
  fill,
  fillCode,
  FINAL_RUN,
  LIVE_RUN,
  suite,
} from './sample_data.mjs';
import {
  button,
  candidate,
  docsPicture,
  open,
  origin,
  page,
  picture,
  server,
} from './stage.mjs';

const TELEPHONE = { width: 375, height: 800 };

async function signInAgain() {
  await page.getByRole('button', { name: 'Sign in with a token' }).click();
  server.known = true;
  await page.getByLabel('Your token').fill(TOKEN);
  await page.keyboard.press('Enter');
}

async function openAsCandidate() {
  await page.goto(`${origin}/invitation#${INVITATION}`);
  await button('Accept and read the task').click();
  await page.getByRole('heading', { name: 'The task' }).waitFor();
}

// Every state by a name, and what brings the page into it.
const STATES = {
  'sign-in, refused': async () => {
    await page.goto(origin);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('is wrong').waitFor();
  },
  'home, palette open': async () => {
    await open('/');
    await page.getByRole('link', { name: 'Orders API' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: 'Orders API: edit' }).waitFor();
  },
  'home, a worker is drained': async () => {
    await open('/');
    await button('Drain w1').click();
    await page.getByLabel('Why w1 is drained').waitFor();
  },
  'home, not connected': async () => {
    await open('/');
    await page.getByRole('link', { name: 'Orders API' }).waitFor();
    await server.stop();
    await page.getByText('Not connected').waitFor();
  },
  'candidates, everything unfolded': async () => {
    await open('/assignments/orders-api');
    await page.getByText('Invite many').click();
    await page.getByText('Give back the time of an outage').click();
    await page.getByText('Columns').click();
    await button('Take back').click();
    await button('Yes, take it back').waitFor();
  },
  'an answer is written': async () => {
    server.questions.push({
      name: 'questions/q_1',
      text: 'May an order have no lines?',
      askTime: new Date().toISOString(),
    });
    await open('/assignments/orders-api?tab=questions');
    await page.getByLabel('Your answer').fill('No.');
  },
  'versions, moving attempts': async () => {
    const name = 'assignments/orders-api';
    server.assignments.set(name, {
      ...server.assignments.get(name),
      version: 2,
    });
    await open('/assignments/orders-api?tab=task');
    await button('Move running attempts').waitFor();
  },
  'editor, a mistake': async () => {
    server.suite = suite('version: 1\nchekcs: []\n');
    await open('/assignments/orders-api/edit');
    await page.getByText('did you mean “checks”').last().waitFor();
  },
  'attempt, to be decided': async () => {
    await open('/attempts/at_7f3a');
    await button('Decide').waitFor();
    await page
      .getByLabel('What to do')
      .selectOption('Set the factor on the time');
  },
  'code, side by side': async () => {
    fillCode(server);
    await open('/attempts/at_7f3a?tab=code');
    await page.locator('.t-keyword').first().waitFor();
    await docsPicture('code');
    await button('Side by side').click();
    await page.locator('table.split').first().waitFor();
  },
  'checks, evidence open': async () => {
    await open(`/${FINAL_RUN.name}`);
    await openEvidence();
  },
  'log, searched': async () => {
    await open(`/${FINAL_RUN.name}?tab=log`);
    await page.getByLabel('Find in this output').fill('201');
    await page.getByText(/^1 of/).waitFor();
  },
  'trace, a request chosen': async () => {
    await open(`/${FINAL_RUN.name}?tab=trace`);
    await page.getByRole('row', { name: /GET \/orders/ }).click();
    await page.getByText('SERVICE is where yours runs').waitFor();
  },
  'trace, in lanes': async () => {
    await open(`/${FINAL_RUN.name}?tab=trace`);
    await button('Lanes').click();
    await page.getByRole('listbox', { name: 'Spans in lanes' }).focus();
    for (const key of ['ArrowRight', 'ArrowDown'])
      await page.keyboard.press(key);
    await page.getByRole('option', { name: 'GET /orders' }).waitFor();
  },
  'trace, lane by lane in a table': async () => {
    await open(`/${FINAL_RUN.name}?tab=trace`);
    await button('Lanes').click();
    await button('As a table').click();
    await page.getByRole('rowheader', { name: 'database: 20' }).waitFor();
  },
  'compare, two runs': async () => {
    await open(`/${FINAL_RUN.name}?tab=compare&with=${LIVE_RUN.name}`);
    await page.getByRole('tabpanel').waitFor();
  },
  'accounts, one is taken out of use': async () => {
    await open('/account');
    await button('Take grace out of use').click();
    await button('Take out of use').waitFor();
  },
  'an address that leads nowhere': async () => {
    await open('/nowhere');
    await page.locator('main h1').waitFor();
  },
  'invitation, the link is lost': async () => {
    await page.goto(`${origin}/invitation`);
    await page.getByText('The link does not work, or is lost').click();
    await page.getByLabel('The address that you were invited by').waitFor();
  },
  'candidate, asked before the start': async () => {
    server.mine = candidate();
    await openAsCandidate();
    await button('Try git').click();
    await page.getByText('only-for-trying').waitFor();
    await button('Start').click();
    await button('Yes, start the clock').waitFor();
  },
  'candidate, handed in': async () => {
    server.mine = candidate({
      state: 'STATE_STARTED',
      cloneUrl: 'http://127.0.0.1:7080/git/r_1.git',
      clock: {
        duration: '14400s',
        deadline: new Date(Date.now() + 9_000_000).toISOString(),
      },
    });
    server.pushes.push({
      name: 'attempts/at_1/pushes/1',
      newCommit: LIVE_RUN.commit,
      receiveTime: new Date().toISOString(),
      state: 'STATE_ACCEPTED',
      subject: 'Orders',
      run: LIVE_RUN.name,
    });
    await openAsCandidate();
    await button('Show a password', false).click();
    await button('Hand in the last push').click();
    await button('Receipt').click();
    await page.getByText('0011223344556677').waitFor();
    await page.getByText('Rules, and what is recorded').click();
  },
  'candidate, decided upon': async () => {
    server.mine = candidate({ state: 'STATE_SUBMITTED' });
    server.decisions.push({
      attempt: 'attempts/at_1',
      number: 1,
      outcome: 'OUTCOME_ADVANCE',
      feedback: 'Your API was clear.',
      feedbackReleased: true,
    });
    await openAsCandidate();
    await page.getByText('Your API was clear.').waitFor();
  },
};

async function openEvidence() {
  const check = page.getByRole('listitem').filter({ hasText: 'few-queries' });
  const step = check.locator('ol.parts li').first();
  await step.getByText('Evidence').click();
  await step.getByText('Answer', { exact: true }).waitFor();
  return step;
}

// Tables and code scroll in boxes of their own, the page does not.
async function widthOfPage() {
  return page.evaluate(() => document.documentElement.scrollWidth);
}

// By day, by night, and on a telephone.
const LOOKS = [
  { colorScheme: 'light' },
  { colorScheme: 'dark' },
  { colorScheme: 'dark', narrow: true },
  { colorScheme: 'light', narrow: true },
];

for (const [state, reach] of Object.entries(STATES)) {
  test(`axe finds nothing serious: ${state}`, async () => {
    fill(server);
    server.workers = [worker('w1')];
    await reach();
    for (const { colorScheme, narrow } of LOOKS) {
      await page.emulateMedia({ colorScheme });
      if (narrow) await page.setViewportSize(TELEPHONE);
      const look = `${colorScheme}${narrow ? '-narrow' : ''}`;
      await picture(`state-${state.replaceAll(/\W+/g, '-')}-${look}`);
      assert.deepEqual(await axeViolations(page), [], look);
      if (narrow) assert.ok((await widthOfPage()) <= 375, 'it is too wide');
    }
    // For the end of the test, which stops it.
    if (state.includes('not connected')) await server.start();
  });
}

test('a step shows what was sent, answered and asked of the database', async () => {
  fill(server);
  await open(`/${FINAL_RUN.name}`);
  const step = await openEvidence();
  await step.locator('pre', { hasText: 'accept: application/json' }).waitFor();
  await step.getByText('"status": "shipped"').waitFor();
  await step.getByText('20 times').waitFor();
  await step
    .getByText(
      `curl -i -H 'accept: application/json' -H 'authorization: '"$AUTHORIZATION" "$SERVICE"'/orders'`,
    )
    .waitFor();
  await step.getByText('AUTHORIZATION: a credential').waitFor();
});

test('what was typed into any form outlives the session', async () => {
  fill(server);
  const forms = {
    '/assignments/orders-api': {
      Name: 'Grace H.',
      Address: 'grace@example.org',
    },
    '/attempts/at_7f3a': {
      'More minutes': '45',
      'Reason, kept in the audit log': 'The power failed',
    },
    '/account': { 'Signs in as': 'alan' },
  };
  const field = (name) =>
    page.locator('form').getByLabel(name, { exact: true });
  for (const [address, fields] of Object.entries(forms)) {
    await open(address);
    for (const [label, text] of Object.entries(fields))
      await field(label).fill(text);
    // The first click that needs the server finds the session gone.
    server.known = false;
    await page.reload();
    await signInAgain();
    for (const [label, text] of Object.entries(fields)) {
      await field(label).waitFor();
      const found = await field(label).inputValue();
      assert.equal(found, text, `${address}: ${label}`);
    }
  }
  const account = page.getByRole('navigation', { name: 'Account' });
  await account.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  const kept = await page.evaluate(() =>
    Object.keys(sessionStorage).filter((key) => key.includes('draft')),
  );
  assert.deepEqual(kept, [], 'whoever comes next finds nothing of it');
});

test('a form that finds no server says so, keeps its text and works later', async () => {
  fill(server);
  await open('/assignments/orders-api');
  await page.getByLabel('Name', { exact: true }).fill('Grace H.');
  await page
    .getByRole('textbox', { name: 'Address' })
    .fill('grace@example.org');
  await server.stop();
  await button('Invite').click();
  await page.getByText('try again').waitFor();
  await server.start();
  await button('Invite').click();
  await page.getByText('Send this link to Grace H.').waitFor();
  assert.equal(server.invited.length, 1);
});

test('an assignment that goes away under an edit is said, and the text stays', async () => {
  fill(server);
  server.suite = suite('version: 1\nname: Orders\n');
  await open('/assignments/orders-api/edit');
  await page.getByLabel('Title').fill('Orders, again');
  server.assignments.delete('assignments/orders-api');
  await button('Make version 2').click();
  await page.getByText('there is no assignments/orders-api').waitFor();
  assert.equal(await page.getByLabel('Title').inputValue(), 'Orders, again');
});

test('what was written before is said to be, and can be thrown away', async () => {
  fill(server);
  server.suite = suite('version: 1\nname: Orders\n');
  await open('/assignments/orders-api/edit');
  await page.getByLabel('Title').fill('Orders, again');
  await page.reload();
  await page.getByText('not saved yet').waitFor();
  assert.equal(await page.getByLabel('Title').inputValue(), 'Orders, again');
  await button('Throw it away').click();
  await button('Yes, throw it away').click();
  assert.equal(await page.getByLabel('Title').inputValue(), 'Orders API');
  await page.reload();
  await page.getByLabel('Title').waitFor();
  assert.equal(await page.getByLabel('Title').inputValue(), 'Orders API');
});

test('what cannot be taken back is asked once more', async () => {
  fill(server);
  await open('/assignments/orders-api');
  await button('Take back').click();
  await button('No').click();
  assert.deepEqual(server.revoked, []);
  assert.equal(
    await page.evaluate(() => document.activeElement.textContent),
    'Take back',
    'the keyboard is where it was',
  );
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'taken back' }).waitFor();
  assert.deepEqual(server.revoked, ['invitations/inv_1']);
});

test('a diff of more files than can be shown says so', async () => {
  fill(server);
  fillCode(server);
  const [one] = server.diff.files;
  server.diff.files = Array.from({ length: 300 }, (_, i) => ({
    ...one,
    oldPath: `f${i}.py`,
    newPath: `f${i}.py`,
    addedLines: 100,
    patch: base64(`@@ -0,0 +1,100 @@\n${'+x = 1\n'.repeat(100)}`),
  }));
  server.diff.truncated = true;
  await open('/attempts/at_7f3a?tab=code');
  await page.getByText('More than 300 files changed').waitFor();
  const lines = await page.locator('table.diff tr').count();
  assert.ok(lines < 10_000, `${lines} lines are drawn at once`);
  await button('Show them').first().click();
  assert.equal(await page.locator('table.diff tr').count(), lines + 101);
});
