import { expect, test } from 'vitest';

import { rank } from './palette';

const PAGES = ['Orders API', 'Orders API: statistics', 'Home', 'Accounts'].map(
  (label) => ({ label, to: label }),
);
const found = (typed: string) => rank(PAGES, typed).map((one) => one.label);

test('a few letters find a page, the shortest first', () => {
  expect(found('or')).toEqual(['Orders API', 'Orders API: statistics']);
  expect(found('os')[0]).toBe('Orders API: statistics');
  expect(found('acc')).toEqual(['Accounts']);
  expect(found('zzz')).toEqual([]);
  expect(found('')).toHaveLength(4);
});
