// Debian's Chromium under Playwright, as the tests of this folder use it.

import { createRequire } from 'node:module';
import path from 'node:path';

const dashboard = path.resolve(import.meta.dirname, '../../services/dashboard');
const require = createRequire(path.join(dashboard, 'package.json'));

export const { chromium } = require('playwright-core');
export const axeSource = require('axe-core').source;

export function launch() {
  return chromium.launch({
    executablePath: process.env.ASSAY_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', // tests run as root in CI
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

// What `work` made of a page's main thread: the CPU time of each of its tasks, in
// milliseconds, as Chromium's trace has it.
export async function mainThreadTasks(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, {
    categories: ['toplevel', 'blink.user_timing'],
  });
  await work();
  await page.evaluate(() => performance.mark('here'));
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const { pid, tid } = traceEvents.find(({ name }) => name === 'here');
  const tasks = traceEvents.filter(
    (event) =>
      event.name === 'ThreadControllerImpl::RunTask' &&
      event.pid === pid &&
      event.tid === tid,
  );
  return tasks.map((task) => (task.tdur ?? 0) / 1000);
}

// Rules of WCAG 2 A and AA that the page breaks, by how bad that is.
export async function axeViolations(page) {
  // Not as a script element: the content security policy forbids that.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'best-practice'] }),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`,
    );
}
