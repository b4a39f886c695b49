import { useState } from 'react';

// Browsers let pages copy on https and on this machine only.
export function CopyButton({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  if (!window.isSecureContext) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
  };
  return (
    <button type="button" className="quiet" onClick={() => void copy()}>
      {done ? 'Copied' : 'Copy'}
    </button>
  );
}
