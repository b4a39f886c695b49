import { expect, test } from 'vitest';

import { fromText, readFolder, sorted, textOf } from './file_tree';

function file(path: string, text: string): File {
  const made = new File([text], path.split('/').pop()!);
  Object.defineProperty(made, 'webkitRelativePath', { value: path });
  return made;
}

test('a folder loses its own name and what is git’s', async () => {
  const tree = await readFolder([
    file('work/src/app.py', 'x'),
    file('work/.git/config', 'secret'),
    file('work/run', '#!/bin/sh\n'),
  ]);
  expect(tree.map(({ path, mode }) => [path, mode])).toEqual([
    ['run', 0o100755],
    ['src/app.py', 0o100644],
  ]);
});

test('paths are in the order of their bytes', () => {
  const paths = ['é', 'b/a', 'b', 'B', 'a-b', 'a/b', '\uFF5E', '😀'];
  expect(
    sorted(paths.map((path) => fromText(path, ''))).map((one) => one.path),
  ).toEqual(['B', 'a-b', 'a/b', 'b', 'b/a', 'é', '\uFF5E', '😀']);
});

test('what is no text is not shown as some', () => {
  expect(textOf({ content: new Uint8Array([0xff, 0xfe]) })).toBeNull();
  expect(textOf(fromText('a', 'grün'))).toBe('grün');
});
