import { Empty } from '../parts/empty';
import { Link } from '../router';

export function NotFoundPage() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be cut short. <Link href="/">Assignments and runs</Link>{' '}
        are on the first page.
      </p>
    </Empty>
  );
}
