// Small directories on their way to the server and back.

import type { FileTree_File } from '../gen/assay/v1/file_tree_pb';

// As FileTree.File, before it is a message.
export interface TreeFile {
  path: string;
  mode: number;
  content: Uint8Array;
}

const FILE = 0o100644;
const PROGRAM = 0o100755;
const LIMIT = 32 << 20;

// The files of a chosen folder, without git's own. Browsers do not say which
// files are programs: those that begin with "#!" are taken for some.
export async function readFolder(files: Iterable<File>): Promise<TreeFile[]> {
  const tree: TreeFile[] = [];
  let size = 0;
  for (const file of files) {
    const whole = file.webkitRelativePath || `x/${file.name}`;
    const path = whole.slice(whole.indexOf('/') + 1);
    if (path === '' || path.split('/').includes('.git')) continue;
    size += file.size;
    if (size > LIMIT) throw new Error('The folder has more than 32 MiB.');
    const content = new Uint8Array(await file.arrayBuffer());
    const program = content[0] === 0x23 && content[1] === 0x21;
    tree.push({ path, mode: program ? PROGRAM : FILE, content });
  }
  return sorted(tree);
}

// By the bytes of the paths, as the server wants it.
export function sorted(tree: TreeFile[]): TreeFile[] {
  const bytes = new TextEncoder();
  return [...tree].sort((a, b) => {
    const [x, y] = [bytes.encode(a.path), bytes.encode(b.path)];
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      if (x[i] !== y[i]) return x[i]! - y[i]!;
    }
    return x.length - y.length;
  });
}

// The content as text; null where it is none.
export function textOf(file: { content: Uint8Array }): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.content);
  } catch {
    return null;
  }
}

export function fromText(path: string, text: string): TreeFile {
  return { path, mode: FILE, content: new TextEncoder().encode(text) };
}

export function fromProto(files: readonly FileTree_File[]): TreeFile[] {
  return files.map(({ path, mode, content }) => ({ path, mode, content }));
}
