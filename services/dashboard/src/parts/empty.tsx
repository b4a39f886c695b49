import type { ReactNode } from 'react';

// What stands where nothing is yet: why, and what would change that.
export function Empty({
  title,
  children,
}: {
  title: string;
  children: ReactNode;
}) {
  return (
    <div className="empty">
      <h3>{title}</h3>
      {children}
    </div>
  );
}
