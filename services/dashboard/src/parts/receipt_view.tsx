import { toJsonString } from '@bufbuild/protobuf';
import { useState } from 'react';

import { type Receipt, ReceiptSchema } from '../gen/assay/v1/submission_pb';
import { sentence, useClients } from '../rpc/client';
import { saveFile } from './save_file';

// The signed receipt of one submission, shown and kept as a file that
// `assay receipt verify` reads.
export function ReceiptView({ submission }: { submission: string }) {
  const { submissions } = useClients();
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const [problem, setProblem] = useState('');
  const show = async () => {
    try {
      const answer = await submissions.getReceipt({ submission });
      setReceipt(answer.receipt ?? null);
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  if (problem) return <span className="notice bad">{problem}</span>;
  if (!receipt) {
    return (
      <button type="button" className="quiet" onClick={() => void show()}>
        Receipt
      </button>
    );
  }
  return (
    <div className="receipt">
      <dl className="facts">
        {statementOf(receipt).map(([key, value]) => (
          <div key={key}>
            <dt>{key.replaceAll('_', ' ')}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
        <div>
          <dt>signed by key</dt>
          <dd className="mono">{receipt.keyId}</dd>
        </div>
      </dl>
      <button type="button" className="quiet" onClick={() => save(receipt)}>
        Save as a file
      </button>
    </div>
  );
}

function statementOf(receipt: Receipt): [string, string][] {
  try {
    const statement: unknown = JSON.parse(receipt.statement);
    if (typeof statement !== 'object' || statement === null) return [];
    return Object.entries(statement).map(([key, value]) => [
      key,
      String(value),
    ]);
  } catch {
    return [];
  }
}

function save(receipt: Receipt) {
  const text = toJsonString(ReceiptSchema, receipt, { prettySpaces: 2 });
  saveFile(
    'assay-receipt.json',
    new Blob([text], { type: 'application/json' }),
  );
}
