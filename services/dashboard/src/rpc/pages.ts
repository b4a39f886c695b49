// Lists come in pages, the oldest or the newest first: whoever needs all of one
// asks until nothing follows.
export async function everyPage<P extends { nextPageToken: string }, T>(
  ask: (pageToken: string) => Promise<P>,
  itemsOf: (page: P) => T[],
): Promise<T[]> {
  const all: T[] = [];
  let pageToken = '';
  do {
    const page = await ask(pageToken);
    all.push(...itemsOf(page));
    pageToken = page.nextPageToken;
  } while (pageToken);
  return all;
}
