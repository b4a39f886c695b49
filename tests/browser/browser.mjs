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
