import { useState } from 'react';

import { readFolder, type TreeFile } from '../model/file_tree';
import { sentence } from '../rpc/client';
import { asFolder } from './suite_editor';

// The folder that every candidate starts from.
export function TemplateField({
  template,
  isNew,
  onChange,
}: {
  template: TreeFile[] | null;
  isNew: boolean;
  onChange: (template: TreeFile[] | null) => void;
}) {
  const [problem, setProblem] = useState('');
  const read = async (files: FileList | null) => {
    setProblem('');
    try {
      const tree = await readFolder(files ?? []);
      onChange(tree.length > 0 ? tree : null);
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return (
    <>
      <label>
        Folder that every candidate starts from{' '}
        <input
          type="file"
          multiple
          required={isNew}
          ref={asFolder}
          onChange={(event) => void read(event.target.files)}
        />
      </label>
      <p className="muted">
        {template
          ? `${template.length} files; those that begin with “#!” are programs.`
          : isNew
            ? 'Its files become one commit.'
            : 'Without one, the template stays as it is.'}
      </p>
      {problem && (
        <p className="notice bad" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
