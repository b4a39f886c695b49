import { type KeyboardEvent, useEffect, useRef, useState } from 'react';

import { Role } from '../gen/assay/v1/access_pb';
import { cleanText } from '../model/clean_text';
import { idOf } from '../model/format';
import { type Command, rank } from '../model/palette';
import { writes } from '../model/role';
import { goTo } from '../router';
import { useClients } from '../rpc/client';
import { useSelf } from './self';
import { useLoad } from './use_load';

// Ctrl+K (or ⌘K): goes to a page by a few letters of its name.
export function Palette() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k') return;
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      setOpen((before) => !before);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return open ? <PaletteBox onClose={() => setOpen(false)} /> : null;
}

function PaletteBox({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { overview } = useClients();
  const self = useSelf();
  const home = useLoad((signal) => overview.getHome({}, { signal }));
  const [words, setWords] = useState('');
  const [at, setAt] = useState(0);
  useEffect(() => dialog.current?.showModal(), []);
  const commands: Command[] = [
    { label: 'Home', to: '/' },
    ...(writes(self?.role) ? [{ label: 'New assignment', to: '/new' }] : []),
    {
      label: self?.role === Role.ADMIN ? 'Accounts' : 'My account',
      to: '/account',
    },
    ...(home.value?.funnels ?? []).flatMap(({ assignment, title }) => {
      const name = cleanText(title) || idOf(assignment);
      return [
        { label: name, to: `/${assignment}` },
        { label: `${name}: statistics`, to: `/${assignment}?tab=statistics` },
        ...(writes(self?.role)
          ? [
              {
                label: `${name}: questions`,
                to: `/${assignment}?tab=questions`,
              },
              { label: `${name}: edit`, to: `/${assignment}/edit` },
            ]
          : []),
      ];
    }),
  ];
  const typed = words.trim();
  // A name that was copied from elsewhere leads there at once.
  const direct = /^(runs|attempts|assignments)\/[\w-]+$/.test(typed)
    ? [{ label: `Open ${typed}`, to: `/${typed}` }]
    : [];
  const found = [...direct, ...rank(commands, typed)].slice(0, 10);
  const chosen = Math.min(at, found.length - 1);
  const go = (command?: Command) => {
    if (!command) return;
    onClose();
    goTo(command.to);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length > 0) {
      event.preventDefault();
      setAt((chosen + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      go(found[chosen]);
    }
  };
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Go to"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <input
        role="combobox"
        aria-label="Go to"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[chosen] && `palette-${chosen}`}
        placeholder="Go to…"
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul id="palette-list" role="listbox" aria-label="Pages">
        {found.map((command, i) => (
          <li
            key={command.to}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === chosen}
            onClick={() => go(command)}
          >
            {command.label}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="muted">Nothing by that name.</p>}
    </dialog>
  );
}
