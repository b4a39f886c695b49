// What a reviewer reads of an attempt, and decides.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axeViolations } from './browser.mjs';
import { fill, pushOf } from './sample_data.mjs';
import { open, page, picture, server } from './stage.mjs';

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
