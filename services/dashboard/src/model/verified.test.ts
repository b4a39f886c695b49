import { expect, test } from 'vitest';

import { parseVerified } from './verified';

test('a report is read as the command line writes it', () => {
  const read = parseVerified(
    JSON.stringify({
      suite: 'Orders',
      ok: false,
      solutions: [
        {
          id: 'faulty',
          title: 'Two faults',
          ok: false,
          runs: 3,
          as_declared: 2,
          points: 75,
          max: 100,
          lost: ['few-queries'],
          surprises: [
            {
              check: 'order-ships',
              declared: 8,
              earned: 0,
              times: 1,
              reason: 'late',
            },
          ],
          problem: '',
        },
      ],
      unguarded: ['create-order'],
    }),
  );
  expect(read?.ok).toBe(false);
  expect(read?.solutions[0]?.asDeclared).toBe(2);
  expect(read?.solutions[0]?.surprises[0]?.check).toBe('order-ships');
  expect(read?.unguarded).toEqual(['create-order']);
});

test('what is no report is none', () => {
  for (const text of ['', '{', '[]', 'null', '{"solutions":3}', '{"ok":true}'])
    expect(parseVerified(text)).toBeNull();
});
