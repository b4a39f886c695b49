// How long a large trace takes to open and to scroll. Prints numbers; the
// limits are those of the dashboard's issue, with nothing else on the machine.
//
//   ASSAY_DASHBOARD_DIST=build/release/services/dashboard/dist \
//     services/dashboard/tools/with-node node ../../tests/browser/trace_bench.mjs

import { launch } from './browser.mjs';
import { FakeAssayd, TOKEN } from './fake_assayd.mjs';
import { fill, FINAL_RUN } from './sample_data.mjs';

const SPANS = 50_000;
const STATEMENTS = 20;

function id(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(number, 4);
  return bytes.toString('base64');
}

// Requests with twenty statements each, one after the other.
function* batches() {
  let batch = [];
  for (let i = 0; i < SPANS; i++) {
    const request = i % (STATEMENTS + 1) === 0;
    const parent = i - (i % (STATEMENTS + 1));
    const start = 1_772_442_000_000_000_000n + BigInt(i) * 200_000n;
    batch.push({
      spanId: id(1_000_000 + i),
      parentSpanId: request ? '' : id(1_000_000 + parent),
      name: request ? 'GET /orders' : 'SELECT',
      kind: 'SPAN_KIND_CLIENT',
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + (request ? 4_000_000n : 150_000n)),
      attributes: request
        ? []
        : [
            { key: 'db.system.name', value: { stringValue: 'postgresql' } },
            {
              key: 'db.query.text',
              value: { stringValue: `select * from orders where id = ${i}` },
            },
          ],
    });
    if (batch.length === 256) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

const server = new FakeAssayd(process.env.ASSAY_DASHBOARD_DIST);
const origin = await server.start();
fill(server);
for (const spans of batches())
  server.tell(FINAL_RUN.name, { spans: { spans } });

const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
await page.goto(`${origin}/#token=${TOKEN}`);
await page.getByRole('link', { name: 'run_final' }).waitFor();

const opened = performance.now();
await page.goto(`${origin}/${FINAL_RUN.name}?tab=trace`);
await page.getByText(/50\d{3} spans/).waitFor();
console.log(`open: ${Math.round(performance.now() - opened)} ms (limit 1500)`);

const frames = await page.evaluate(async () => {
  const box = document.querySelector('.trace');
  const work = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) work.push(entry.duration);
  });
  observer.observe({ type: 'longtask' });
  const gaps = [];
  let last = performance.now();
  for (let i = 0; i < 240; i++) {
    box.scrollTop += 400;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  gaps.sort((a, b) => a - b);
  return { p95: gaps[Math.floor(gaps.length * 0.95)], long: work.length };
});
console.log(
  `scroll: frame p95 ${frames.p95.toFixed(1)} ms, ${frames.long} long tasks`,
);
await browser.close();
await server.stop();
