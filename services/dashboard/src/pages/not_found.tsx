import { Link } from '../router';

export function NotFoundPage() {
  return (
    <div className="empty">
      <title>No such page · Assay</title>
      <h1>There is no such page</h1>
      <p>
        The address may be cut short. <Link href="/">Assignments and runs</Link>{' '}
        are on the first page.
      </p>
    </div>
  );
}
