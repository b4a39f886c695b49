import { expect, test } from 'vitest';

import { diffLines } from './diff_lines';
import { diffTexts } from './diff_texts';

const PATCH = `@@ -1,2 +1,2 @@
 import os
-old()
+new()
@@ -9 +9,2 @@
 end
+more
\\ No newline at end of file
`;

test('each hunk is two texts, and each line is found in one of them', () => {
  const lines = diffLines(new TextEncoder().encode(PATCH));
  const { texts, places } = diffTexts(lines);
  expect(texts).toEqual([
    'import os\nold()',
    'import os\nnew()',
    'end',
    'end\nmore',
  ]);
  expect(places).toEqual([
    null,
    [1, 0],
    [0, 1],
    [1, 1],
    null,
    [3, 0],
    [3, 1],
    null,
  ]);
});
