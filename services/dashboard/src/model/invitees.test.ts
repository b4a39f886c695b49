import { expect, test } from 'vitest';

import { hasHeader, withHeader } from './invitees';

test('pasted lines get a header, and a file keeps its own', () => {
  expect(withHeader('Ada,ada@example.org\n')).toBe(
    'name,email\nAda,ada@example.org\n',
  );
  const file = 'email,name\nada@example.org,Ada\n';
  expect(withHeader(file)).toBe(file);
  expect(hasHeader('Email,ada@email.org')).toBe(false);
});

test('lines are filled up where one has a factor', () => {
  expect(withHeader('Ada,a@x.org,1.5\n"Hopper, Grace",g@x.org')).toBe(
    'name,email,accommodation\nAda,a@x.org,1.5\n"Hopper, Grace",g@x.org,\n',
  );
});
